from importlib import import_module

from django.apps import AppConfig


class ScansConfig(AppConfig):
    name = "annotation.scans"
    label = "scans"

    def ready(self) -> None:
        import_module("annotation.scans.hooks")
