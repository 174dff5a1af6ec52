from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "voxloop.project"
    label = "project"
