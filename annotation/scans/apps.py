from django.apps import AppConfig


class ScansConfig(AppConfig):
    name = "annotation.scans"
    label = "scans"
