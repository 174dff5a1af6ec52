from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "annotation.pages"
    label = "pages"
