from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "voxloop.jobs"
    label = "jobs"
