from importlib import import_module

from django.apps import AppConfig


class MasksConfig(AppConfig):
    name = "annotation.masks"
    label = "masks"

    def ready(self) -> None:
        import_module("annotation.masks.hooks")
