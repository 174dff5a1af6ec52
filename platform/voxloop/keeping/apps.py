from django.apps import AppConfig


class KeepingConfig(AppConfig):
    name = "voxloop.keeping"
    label = "keeping"

    def ready(self) -> None:
        from voxloop.jobs.services import on_refusal
        from voxloop.keeping.services import note_refused_job

        on_refusal(note_refused_job)
