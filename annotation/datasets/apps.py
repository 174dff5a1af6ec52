from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "annotation.datasets"
    label = "datasets"

    def ready(self) -> None:
        from annotation.datasets.erasing import PART
        from annotation.scans.erasing import on_erasure

        on_erasure(PART)
        from annotation.datasets.keeping import KEPT
        from voxloop.keeping.shelves import register

        register(*KEPT)
