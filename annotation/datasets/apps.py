from importlib import import_module

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "annotation.datasets"
    label = "datasets"

    def ready(self) -> None:
        import_module("annotation.datasets.hooks")
