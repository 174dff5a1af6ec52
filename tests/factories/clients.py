"""Clients of the pages and routes, logged in."""

from typing import Any

from django.test import Client

from tests.factories.world import World

BACKEND = "django.contrib.auth.backends.ModelBackend"


def logged_in(world: World, name: str, **more: Any) -> Client:
    """A browser in which a person of the world has logged in."""
    client = Client(**more)
    client.force_login(world[name], backend=BACKEND)
    return client
