from django.apps import AppConfig


class DemonstrationConfig(AppConfig):
    name = "annotation.demonstration"
    label = "demonstration"
