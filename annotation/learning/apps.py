from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "annotation.learning"
    label = "learning"

    def ready(self) -> None:
        from annotation.learning.erasing import PART
        from annotation.learning.keeping import KEPT
        from annotation.learning.running import end_with_job
        from annotation.learning.services import stop_learning
        from annotation.scans.erasing import on_erasure
        from annotation.scans.services import on_withdrawn
        from voxloop.jobs.services import on_end
        from voxloop.keeping.shelves import register

        on_end(end_with_job)
        on_withdrawn(stop_learning)
        on_erasure(PART)
        register(*KEPT)
