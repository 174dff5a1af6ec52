"""Uploads one can mend: every refused series is found again in what was sent; nothing half is shown as done."""

import csv
import re
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.intake.tasks import import_scans
from tests.api.test_loop_over_http import log_in
from tests.factories.world import World
from tests.unit.intake.series import change, make_series
from voxloop.jobs.models import Job

pytestmark = pytest.mark.django_db


def both(world: World, name: str) -> Client:
    """A person with a token for the API and a session for the pages."""
    client = log_in(world, name)
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def burned(number: int, data: Any) -> None:
    data.BurnedInAnnotation, data.SeriesNumber, data.SeriesDescription = "YES", 7, "Words of Jane Doe"


def sent(client: Client, world: World, content: Path, name: str, commit: Callable[..., Any]) -> Job:
    body = {
        "site": str(world.sites["a"].pk),
        "campaign": str(world.campaign.pk),
        "file": SimpleUploadedFile(name, content.read_bytes()),
    }
    answer = client.post("/scans/upload/", body)
    assert answer.status_code == 302, answer.content
    job_id = str(answer["Location"]).strip("/").rpartition("/")[2]
    commit(import_scans, job_id)
    return Job.objects.get(pk=job_id)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.fixture
def client(world: World) -> Client:
    return both(world, "datamanager")


def packed(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder))


def test_an_import_in_part_says_so_and_where_each_refused_series_is(
    client: Client, world: World, tmp_path: Path, commit: Callable[..., Any]
) -> None:
    make_series(tmp_path / "in" / "SE1")
    for number in (2, 3):
        change(make_series(tmp_path / "in" / f"SE{number}", subject=f"P-000{number}"), burned)
    change(make_series(tmp_path / "in" / "Doe_Jane", subject="P-0004"), lambda n, d: setattr(d, "Modality", "MR"))
    job = sent(client, world, packed(tmp_path / "in"), "chest 12.zip", commit)
    page = text_of(client.get(f"/jobs/{job.pk}/"))
    assert "Done in part" in page
    assert "4 series: 1 came in, 3 refused." in page
    assert "2 series:" in page
    count = len(list((tmp_path / "in" / "SE2").iterdir()))
    for number in (2, 3):
        assert re.search(rf"SE{number}, 0001\.dcm and {count - 1} more, series 7, kept as VX-A-", page), page
    assert "folder 1, " in page
    for words in ("Doe", "burned_in_annotation", "wrong_modality"):
        assert words not in page
    for path in ("/jobs/", "/scans/upload/"):
        shown = text_of(client.get(path))
        assert "chest 12.zip" in shown
        assert "Done in part" in shown
        assert "4 series: 1 came in, 3 refused." in shown
    table = list(csv.DictReader(StringIO(client.get(f"/jobs/{job.pk}/result.csv").content.decode())))
    assert [(row["outcome"], row["folder"], row["code"], row["series_number"]) for row in table] == [
        ("came in", "", "", ""),
        ("refused", "SE2", "burned_in_annotation", "7"),
        ("refused", "SE3", "burned_in_annotation", "7"),
        ("refused", "folder 1", "wrong_modality", "1"),
    ]


def test_nothing_that_came_in_is_no_done(
    client: Client, world: World, tmp_path: Path, commit: Callable[..., Any]
) -> None:
    for number in range(3):
        change(make_series(tmp_path / "in" / f"SE{number}", subject=f"P-{number}"), burned)
    job = sent(client, world, packed(tmp_path / "in"), "chest.zip", commit)
    page = text_of(client.get(f"/jobs/{job.pk}/"))
    assert "Failed" in page
    assert "No scan was imported: all 3 series were refused." in page
    assert "Done" not in page
    assert "3 series:" in page


@pytest.mark.parametrize("content", [b"no zip at all", b"PK\x03\x04" + b"x" * 200])
def test_a_broken_upload_says_what_to_do_without_a_code_or_a_toast(
    client: Client, world: World, tmp_path: Path, commit: Callable[..., Any], content: bytes
) -> None:
    (tmp_path / "in.zip").write_bytes(content)
    job = sent(client, world, tmp_path / "in.zip", "chest.zip", commit)
    answer = client.get(f"/jobs/{job.pk}/")
    page = text_of(answer)
    assert job.error in page
    assert re.search(r"pack |Send a zip", job.error)
    assert job.error_code not in page
    shown = re.sub(r"<template.*?</template>", "", answer.content.decode(), flags=re.DOTALL)
    assert "toast-success" not in shown
