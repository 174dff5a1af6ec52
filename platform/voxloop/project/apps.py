from importlib import import_module

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "voxloop.project"
    label = "project"

    def ready(self) -> None:
        import_module("voxloop.project.contract")  # registers dataclasses as answers
