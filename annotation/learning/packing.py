"""A model as a folder that predicts elsewhere: packed by a job, kept as one object, downloaded by those who may."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from annotation.learning.cards import to_markdown, write_card
from annotation.learning.folders import job_folder, write_model
from annotation.learning.models import ModelVersion
from annotation.learning.permissions import require_taker
from annotation.learning.selectors import visible_models
from annotation.learning.stages import run_stage
from annotation.work.schema import parse_schema
from mlservice.contract import ExportRequest, ExportResult
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.jobs.running import Claim
from voxloop.jobs.services import enqueue
from voxloop.jobs.states import JobState
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, NotFound
from voxloop.kernel.ids import new_id
from voxloop.storage.serving import serve_object
from voxloop.storage.store import open_store

PREFIX = "portables"
WAITING = (JobState.QUEUED, JobState.RUNNING)


def find_model(model_id: UUID, actor: User) -> ModelVersion:
    """A version that this person may take away. Raises NotFound, Forbidden."""
    model = visible_models(actor).filter(pk=model_id).first()
    if model is None:
        raise NotFound
    require_taker(actor, model.campaign)
    return model


def packing_of(model: ModelVersion) -> Job | None:
    """The newest job that packs or packed this version."""
    return Job.objects.filter(kind=Job.Kind.EXPORT_MODEL, payload__model=str(model.pk)).order_by("-created_at").first()


@transaction.atomic
def request_packing(*, model_id: UUID, actor: User) -> Job:
    """Enqueue the packing of a version; the same job while one is at work. Raises NotFound, Forbidden, NoSpace."""
    model = find_model(model_id, actor)
    require_room()
    ModelVersion.objects.select_for_update().get(pk=model.pk)
    before = packing_of(model)
    if before is not None and before.state in WAITING:
        return before
    job = enqueue(
        Job.Kind.EXPORT_MODEL,
        payload={"model": str(model.pk)},
        key=f"export_model:{model.pk}:{new_id()}",
        actor=actor,
    )
    record(actor=actor, action="model.packing_requested", target=model, new={"job": str(job.pk)})
    return job


def run_packing(held: Claim) -> dict[str, Any]:
    """Carry out an `export_model` job. Raises Conflict with the code of the stage, Damaged."""
    model = ModelVersion.objects.select_related("campaign__schema", "run").get(pk=held.job.payload["model"])
    store = open_store(settings.STORAGE_URL)
    layer = parse_schema(model.campaign.schema.definition).layer()
    facts = {"data_source": f"Approved masks, frozen list sha256 {model.run.manifest_hash}", "data_type": "nifti"}
    with job_folder(held) as folder:
        source = write_model(folder / "model", model, store)
        request = ExportRequest(str(source), name_of(model), to_markdown(write_card(model)), layer.limit or "", facts)
        done = run_stage("export", request, ExportResult, folder=folder / "export", held=held, span=(5, 95))
        key = store.put_file(PREFIX, folder / "export" / done.file)
    figures = {
        "bytes": done.bytes,
        "files": done.files,
        "onnx_difference": done.onnx_difference,
        "made_at": now().isoformat(timespec="seconds"),
    }
    with transaction.atomic():
        held.check()
        model = ModelVersion.objects.select_for_update().get(pk=model.pk)
        model.portable_key, model.portable = key, figures
        model.save(update_fields=["portable_key", "portable"])
    return {"model": str(model.pk), **figures}


def name_of(model: ModelVersion) -> str:
    """The name of the folder: `chest-ct-m3`."""
    return f"{model.campaign.slug}-{model}"


def serve_model(
    request: HttpRequest | Request, model: ModelVersion, actor: User
) -> HttpResponse | StreamingHttpResponse:
    """The zip of a version, or the byte range of it that the request asks for, recorded.

    Raises Conflict (`model_not_packed`), Damaged."""
    if not model.portable_key:
        raise Conflict(f"{model} is not packed yet; ask for it on its card first.", code="model_not_packed")
    answer = serve_object(request, model.portable_key, "application/zip")
    if answer.status_code in (200, 206):
        disposition = content_disposition_header(True, f"{name_of(model)}.zip")
        answer["Content-Disposition"] = disposition or "attachment"
        if request.method == "GET":
            what = answer.get(
                "Content-Range", f"bytes 0-{int(answer['Content-Length']) - 1}/{answer['Content-Length']}"
            )
            with transaction.atomic():
                record(
                    actor=actor,
                    action="model.downloaded",
                    target=model,
                    new={"object": model.portable_key, "range": what},
                )
    return answer
