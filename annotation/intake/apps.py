from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "annotation.intake"
    label = "intake"

    def ready(self) -> None:
        from annotation.intake.uploads import discard_upload
        from voxloop.jobs.services import on_end

        on_end(discard_upload)
