from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "annotation.work"
    label = "work"

    def ready(self) -> None:
        from annotation.scans.erasing import on_erasure
        from annotation.scans.services import on_withdrawn
        from annotation.work.erasing import PART
        from annotation.work.withdrawing import end_work

        on_withdrawn(end_work)
        on_erasure(PART)
