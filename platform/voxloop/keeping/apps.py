from importlib import import_module

from django.apps import AppConfig


class KeepingConfig(AppConfig):
    name = "voxloop.keeping"
    label = "keeping"

    def ready(self) -> None:
        import_module("voxloop.keeping.hooks")
