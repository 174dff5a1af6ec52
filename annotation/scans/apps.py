from django.apps import AppConfig


class ScansConfig(AppConfig):
    name = "annotation.scans"
    label = "scans"

    def ready(self) -> None:
        from annotation.scans.keeping import KEPT
        from voxloop.keeping.shelves import register

        register(*KEPT)
