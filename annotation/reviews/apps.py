from importlib import import_module

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "annotation.reviews"
    label = "reviews"

    def ready(self) -> None:
        import_module("annotation.reviews.hooks")
