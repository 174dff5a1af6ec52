from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "annotation.intake"
    label = "intake"
