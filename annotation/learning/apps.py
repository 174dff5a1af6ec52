from importlib import import_module

from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "annotation.learning"
    label = "learning"

    def ready(self) -> None:
        import_module("annotation.learning.hooks")
