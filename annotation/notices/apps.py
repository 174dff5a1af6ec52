from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "annotation.notices"
    label = "notices"
