from importlib import import_module

from django.apps import AppConfig


class UpkeepConfig(AppConfig):
    name = "annotation.upkeep"
    label = "upkeep"

    def ready(self) -> None:
        import_module("annotation.upkeep.hooks")
