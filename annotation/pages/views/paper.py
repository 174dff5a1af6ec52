"""What a paper tells of a release, as a page and as files."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe

from annotation.datasets.models import Release
from annotation.datasets.paper.html import to_fragment
from annotation.datasets.paper.making import make_blocks, make_file
from annotation.datasets.services import folder_name
from annotation.pages.requests import PageRequest

View = Callable[[PageRequest, Release], HttpResponse]


def release_paper(request: PageRequest, found: Release) -> HttpResponse:
    """The page."""
    blocks = make_blocks(found.pk, request.user)
    # Everything that people wrote is escaped by `to_fragment`.
    text = mark_safe(to_fragment(blocks[1:]))  # noqa: S308
    return render(request, "release_paper.html", {"release": found, "text": text})


def release_paper_html(request: PageRequest, found: Release) -> HttpResponse:
    """One HTML file."""
    return _file(request, found, "html")


def release_paper_docx(request: PageRequest, found: Release) -> HttpResponse:
    """For a word processor."""
    return _file(request, found, "docx")


def release_paper_tex(request: PageRequest, found: Release) -> HttpResponse:
    """LaTeX."""
    return _file(request, found, "tex")


def _file(request: PageRequest, found: Release, form: str) -> HttpResponse:
    data, media_type = make_file(found.pk, request.user, form)
    answer = HttpResponse(data, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{folder_name(found)}.{form}"'
    return answer
