"""A mask of another program by the page (send, map, store) and by the API."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.masks.elsewhere import imports_of
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from tests.api.test_scans_table import client_of
from tests.db.test_masks_from_elsewhere import begin_work, mask_file, some_labels
from tests.factories.world import SHAPE, World

pytestmark = pytest.mark.django_db


def sent(folder: Path, **more: Any) -> dict[str, Any]:
    body = mask_file(folder, some_labels(), **more).read_bytes()
    return {"file": SimpleUploadedFile("John Doe.nrrd", body), "layer": "findings"}


def choices(client: Client, scan: Scan, **more: Any) -> dict[str, Any]:
    """What the page's form would send."""
    page = client.get(reverse("mask_map", args=[scan.pk]))
    key = page.context["form"]["key"].value()
    return {"key": key, "label_1": "infectious_cavity", "label_2": "", "label_3": "", **more}


def test_the_page_shows_what_was_found_before_it_is_stored(world: World, tmp_path: Path) -> None:
    client, scan = client_of(world, "datamanager"), world.scans[0]
    bring, mapping = reverse("mask_bring", args=[scan.pk]), reverse("mask_map", args=[scan.pk])
    assert "None yet" in client.get(reverse("scan", args=[scan.pk])).content.decode()
    assert client.get(mapping)["Location"] == bring
    answer = client.post(bring, sent(tmp_path))
    assert (answer.status_code, answer["Location"]) == (302, mapping)
    shown = client.get(mapping)
    assert [(n, one.voxels, round(ml, 3)) for n, one, ml, _ in shown.context["rows"]] == [
        (1, 2070, 5.175),
        (2, 15, 0.037),
        (3, 1, 0.003),
    ]
    picture = client.get(reverse("mask_label_picture", args=[scan.pk, 1]))
    assert picture.content.startswith(b"\x89PNG")
    assert client.get(reverse("mask_label_picture", args=[scan.pk, 4])).status_code == 404
    assert not imports_of(scan).exists()

    answer = client.post(mapping, choices(client, scan))
    assert answer["Location"] == f"{reverse('scan', args=[scan.pk])}#masks"
    revision = imports_of(scan).get()
    assert np.array_equal(load_labels(revision, SHAPE) > 0, some_labels() == 7)
    assert "NRRD, 1 of 3 labels taken" in client.get(reverse("scan", args=[scan.pk])).content.decode()
    assert client.get(mapping)["Location"] == bring, "what was read is gone once it is stored"


def test_the_page_refuses_and_keeps_what_was_typed(world: World, tmp_path: Path) -> None:
    client, scan = client_of(world, "coordinator"), world.scans[0]
    bring, mapping = reverse("mask_bring", args=[scan.pk]), reverse("mask_map", args=[scan.pk])
    answer = client.post(bring, sent(tmp_path, origin=(0.4, 0, 0)))
    assert (answer.status_code, answer["Voxloop-Code"]) == (422, "other_grid")
    assert "0.4000" in answer.content.decode()
    assert client.post(bring, sent(tmp_path)).status_code == 302
    answer = client.post(mapping, choices(client, scan, label_1=""))
    assert (answer.status_code, "No voxel of the file" in answer.content.decode()) == (422, True)
    assert client.post(mapping, choices(client, scan, label_1="tumour")).status_code == 422
    answer = client.post(mapping, choices(client, scan, key="uploads/another"))
    assert (answer.status_code, answer["Voxloop-Code"]) == (422, "another_file")
    begin_work(world, scan)
    assert "Work on this scan has begun" in client.post(mapping, choices(client, scan)).content.decode()
    assert not imports_of(scan).exists()
    assert client.post(mapping, choices(client, scan, beside_work="on")).status_code == 302
    assert imports_of(scan).count() == 1


def test_what_one_person_read_is_not_another_s(world: World, tmp_path: Path) -> None:
    scan = world.scans[0]
    client_of(world, "datamanager").post(reverse("mask_bring", args=[scan.pk]), sent(tmp_path))
    other = client_of(world, "coordinator")
    assert other.get(reverse("mask_map", args=[scan.pk])).status_code == 302
    assert other.get(reverse("mask_label_picture", args=[scan.pk, 1])).status_code == 409


def test_the_api_lists_and_then_stores(world: World, tmp_path: Path) -> None:
    client, scan = client_of(world, "datamanager"), world.scans[0]
    address = reverse("api:scan-masks", args=[scan.pk])

    def post(**more: Any) -> Any:
        return client.post(address, {**sent(tmp_path), "campaign": "chest-ct", **more})

    listed = post().json()
    assert listed["labels"][0] == {"name": "7", "value": 7, "voxels": 2070, "suggested": ""}
    assert not imports_of(scan).exists()
    refused = post(map=["7=infectious_cavity"])
    assert (refused.status_code, refused.json()["code"]) == (422, "unmapped_labels")
    mapped = ["7=infectious_cavity", "9=atelectasis", "255="]
    stored, again = post(map=mapped), post(map=mapped)
    assert (stored.status_code, again.status_code) == (201, 201)
    assert stored.json()["revision"] == again.json()["revision"] == str(imports_of(scan).get().pk)
    assert sum(json.loads(stored.content)["voxel_counts"].values()) == 2085
