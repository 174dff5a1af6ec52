"""Generate the contract of server and browser: the OpenAPI document, and types and shapes for TypeScript."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.renderers import OpenApiYamlRenderer

from voxloop.project.contract import document
from voxloop.project.shapes import shapes_of
from voxloop.project.typescript import types_of

DOCUMENT = Path("docs/openapi.yaml")
TYPES = Path("frontend/src/ground/contract.ts")
SHAPES = Path("frontend/src/ground/shapes.ts")


def files() -> dict[Path, str]:
    """The text of each file, by path in the repository."""
    made = document()
    renderer: Any = OpenApiYamlRenderer()
    text = renderer.render(made, renderer_context={}).decode()
    head = "# Made by `python3 manage.py contract`: never edited.\n"
    return {DOCUMENT: head + text, TYPES: types_of(made), SHAPES: shapes_of(made)}


def stale_files() -> list[Path]:
    """Files that differ from what would be generated."""
    root: Path = settings.BASE_DIR
    return [
        path
        for path, text in files().items()
        if not (root / path).exists() or (root / path).read_text(encoding="utf-8") != text
    ]


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is stale")

    def handle(self, *args: Any, **options: Any) -> None:
        stale = stale_files()
        if options["check"] and stale:
            raise CommandError(f"stale: {', '.join(map(str, stale))}; run `python3 manage.py contract`")
        for path, text in files().items():
            (settings.BASE_DIR / path).parent.mkdir(parents=True, exist_ok=True)
            (settings.BASE_DIR / path).write_text(text, encoding="utf-8")
        self.stdout.write(f"{', '.join(map(str, stale)) or 'nothing'} changed")
