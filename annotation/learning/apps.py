from django.apps import AppConfig


class LearningConfig(AppConfig):
    name = "annotation.learning"
    label = "learning"
