from django.apps import AppConfig


class MasksConfig(AppConfig):
    name = "annotation.masks"
    label = "masks"

    def ready(self) -> None:
        from annotation.intake.services import on_labels
        from annotation.masks.erasing import PART
        from annotation.masks.keeping import KEPT
        from annotation.masks.services import attach_imported_mask
        from annotation.scans.erasing import on_erasure
        from voxloop.keeping.shelves import register

        on_labels(attach_imported_mask)
        on_erasure(PART)
        register(*KEPT)
