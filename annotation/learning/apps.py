from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "annotation.learning"
    label = "learning"

    def ready(self) -> None:
        from annotation.learning.keeping import KEPT
        from annotation.learning.running import end_with_job
        from voxloop.jobs.services import on_end
        from voxloop.keeping.shelves import register

        on_end(end_with_job)
        register(*KEPT)
