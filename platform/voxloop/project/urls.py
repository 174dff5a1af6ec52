"""Every address of the product. A test walks them and asks each for its permission row."""

from django.urls import path

from voxloop.project import views

urlpatterns = [
    path("healthz", views.health, name="health"),
]
