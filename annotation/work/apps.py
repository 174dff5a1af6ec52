from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "annotation.work"
    label = "work"
