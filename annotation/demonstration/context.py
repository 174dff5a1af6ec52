"""What the frame of every page shows while the demonstration is being created."""

from typing import Any

from django.http import HttpRequest

from annotation.demonstration.progress import read_progress


def demonstration(request: HttpRequest) -> dict[str, Any]:
    """`demonstration`: `{"percent", "text"}` or None."""
    return {"demonstration": read_progress()}
