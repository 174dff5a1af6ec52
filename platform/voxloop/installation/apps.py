from importlib import import_module

from django.apps import AppConfig


class InstallationConfig(AppConfig):
    name = "voxloop.installation"
    label = "installation"

    def ready(self) -> None:
        import_module("voxloop.installation.checks")
