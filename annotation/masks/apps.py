from django.apps import AppConfig


class MasksConfig(AppConfig):
    name = "annotation.masks"
    label = "masks"
