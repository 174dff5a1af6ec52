"""A model is packed by a job, and taken away from its page and by the API by those who may."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from annotation.learning.models import ModelVersion
from annotation.learning.packing import packing_of, request_packing, run_packing
from tests.api.test_loop_over_http import log_in as log_in_api
from tests.api.test_pages import log_in, text
from tests.factories.brought import onnx_files, own_model, zipped
from tests.factories.evidence import FINE, measured, summary_of
from tests.factories.world import World
from voxloop.audit.models import AuditEntry
from voxloop.jobs.models import Job
from voxloop.jobs.running import run
from voxloop.keeping.collect import collect_unreferenced
from voxloop.kernel.errors import Forbidden, NotFound
from voxloop.storage.store import open_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(world: World, tmp_path: Path) -> ModelVersion:
    """A judged version with real weights."""
    found, _ = measured(world, 1, summary_of(FINE))
    folder = own_model(tmp_path / "m")
    found.weights_key = open_store(settings.STORAGE_URL).put_file("models", folder / "weights.safetensors")
    found.config = json.loads((folder / "model.json").read_text())
    found.save()
    return found


def test_a_packed_model_is_downloaded_and_recorded(world: World, model: ModelVersion) -> None:
    page, card = log_in(world, "datamanager"), reverse("model_card", args=[model.pk])
    assert "Not packed yet." in text(page, card)
    download = reverse("model_download", args=[model.pk])
    refused = page.get(download)
    assert (refused.status_code, refused["Voxloop-Code"]) == (409, "model_not_packed")
    page.post(reverse("model_pack", args=[model.pk]))
    job = packing_of(model)
    assert job is not None
    assert request_packing(model_id=model.pk, actor=world["coordinator"]) == job  # one at a time
    assert 'hx-trigger="every 2s"' in page.get(card, HTTP_HX_REQUEST="true").content.decode()
    run(job.pk, run_packing)
    job.refresh_from_db()
    assert job.state == "succeeded", job.error
    model.refresh_from_db()
    assert model.portable["onnx_difference"] <= 1e-4
    assert "cd chest-ct-m1 &amp;&amp; python3 -m mlservice predict" in text(page, card)

    whole = page.get(download)
    body = whole.getvalue()
    assert whole["Content-Disposition"] == 'attachment; filename="chest-ct-m1.zip"'
    assert (whole["X-Content-Type-Options"], len(body)) == ("nosniff", model.portable["bytes"])
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert archive.read("chest-ct-m1/CARD.md").startswith(b"# Model m1 of ")
        assert len(archive.namelist()) == model.portable["files"]
    client = log_in_api(world, "coordinator")
    told = client.get("/api/v1/models/").json()["results"][0]
    assert told["download"] == f"/api/v1/models/{model.pk}/download"
    part = client.get(told["download"], headers={"range": "bytes=10-19"})
    assert (part.status_code, part.getvalue()) == (206, body[10:20])
    client.head(told["download"])
    rows = AuditEntry.objects.filter(action="model.downloaded").order_by("pk")
    assert [(row.actor_name, row.object_id, row.new["range"]) for row in rows] == [
        ("datamanager", str(model.pk), f"bytes 0-{len(body) - 1}/{len(body)}"),
        ("coordinator", str(model.pk), f"bytes 10-19/{len(body)}"),
    ]
    collect_unreferenced()
    assert [entry.key for entry in open_store(settings.STORAGE_URL).list("portables")] == [model.portable_key]


def test_who_takes_a_model_away(world: World, model: ModelVersion) -> None:
    with pytest.raises(Forbidden):
        request_packing(model_id=model.pk, actor=world["admin"])
    for who in ("annotator", "outsider"):
        with pytest.raises(NotFound):
            request_packing(model_id=model.pk, actor=world[who])
    assert not Job.objects.filter(kind=Job.Kind.EXPORT_MODEL).exists()


def test_weights_that_are_not_those_of_the_card_are_not_packed(world: World, model: ModelVersion) -> None:
    model.config["weights_sha256"] = "0" * 64
    model.save()
    job = request_packing(model_id=model.pk, actor=world["coordinator"])
    run(job.pk, run_packing)
    job.refresh_from_db()
    model.refresh_from_db()
    assert (job.error_code, model.portable_key) == ("bad_model", "")
    assert "Packing stopped." in text(log_in(world, "coordinator"), reverse("model_card", args=[model.pk]))


def test_a_model_is_brought_over_pages_and_api(world: World) -> None:
    page = log_in(world, "coordinator")
    assert reverse("model_bring", args=["chest-ct"]) in text(page, "/campaigns/chest-ct/models/")
    address = reverse("model_bring", args=["chest-ct"])

    def send(name: str) -> Any:
        file = io.BytesIO(zipped(onnx_files()))
        file.name = name
        return page.post(address, {"file": file}, follow=True)

    wrong = send("model.onnx")
    assert (wrong.status_code, wrong["Voxloop-Code"]) == (422, "unknown_file")
    assert "Send a model as one zip" in wrong.content.decode()
    assert "Brought model, run 1" in send("model.zip").content.decode()
    file = io.BytesIO(b"x")
    file.name = "model.zip"
    answer = log_in_api(world, "coordinator").post("/api/v1/models/bring", {"file": file, "campaign": "chest-ct"})
    assert (answer.status_code, answer.json()["code"]) == (409, "training_busy")
