from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "annotation.datasets"
    label = "datasets"

    def ready(self) -> None:
        from annotation.datasets.keeping import KEPT
        from voxloop.keeping.shelves import register

        register(*KEPT)
