from importlib import import_module

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "annotation.work"
    label = "work"

    def ready(self) -> None:
        import_module("annotation.work.hooks")
