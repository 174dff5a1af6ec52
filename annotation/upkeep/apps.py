from django.apps import AppConfig


class UpkeepConfig(AppConfig):
    name = "annotation.upkeep"
    label = "upkeep"
