from importlib import import_module

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "annotation.reporting"
    label = "reporting"

    def ready(self) -> None:
        import_module("annotation.reporting.hooks")
