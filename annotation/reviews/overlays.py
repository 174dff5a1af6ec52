"""What the viewer may lay over a scan beside the mask: predictions, earlier rounds, other readers."""

from typing import Any

from annotation.masks.models import Head, MaskRevision, ProbabilityMap
from annotation.masks.selectors import newest_prediction, schema_of
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.work.models import Assignment
from annotation.work.permissions import has_role
from annotation.work.schema import Layer
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role

API = "/api/v1"


def overlays_of(
    assignment: Assignment, heads: dict[str, Head], round_: ReviewRound | None, user: User
) -> list[dict[str, Any]]:
    """The masks to show beside an assignment's own, as the viewer context names them (docs/formats.md)."""
    found: list[dict[str, Any]] = []

    def add(key: str, title: str, revision: MaskRevision | None) -> None:
        if revision is not None:
            found.append(
                {
                    "key": key,
                    "title": title,
                    "layer": revision.layer,
                    "revision": str(revision.pk),
                    "url": f"{API}/revisions/{revision.pk}/mask",
                }
            )

    reviewing = assignment.stage == Assignment.Stage.REVIEW
    for layer in schema_of(assignment).editable_layers:
        prediction = prediction_of(assignment, layer, heads, user)
        if prediction is not None:
            add("prediction", f"Pre-annotation {prediction.model_name}", prediction)
        if round_ is None:
            continue
        if reviewing:
            submitted = round_.masks.select_related("submitted").filter(layer=layer.name).first()
            add("author", f"Submitted by {round_.author.username}", submitted and submitted.submitted)
        earlier = (
            ReviewRound.objects.filter(annotation=round_.annotation_id, number__lt=assignment.round)
            .order_by("-number")
            .first()
        )
        if earlier is not None:
            before = earlier.masks.select_related("submitted").filter(layer=layer.name).first()
            add("previous", f"Round {earlier.number}", before and before.submitted)
        if reviewing and has_role(user, assignment.campaign, Role.REVIEWER, Role.ARBITRATOR):
            for reader, submitted in _other_readers(round_, layer):
                add(f"reader-{reader}", f"Reader {reader}", submitted)
    return found


def probability_of(assignment: Assignment, heads: dict[str, Head], user: User) -> dict[str, Any] | None:
    """How sure the model of the shown prediction was (docs/formats.md); None without one, and for older ones."""
    for layer in schema_of(assignment).editable_layers:
        prediction = prediction_of(assignment, layer, heads, user)
        found = ProbabilityMap.objects.filter(revision=prediction).first() if prediction is not None else None
        if prediction is not None and found is not None:
            digest = found.key.rpartition("/")[2]
            return {
                **found.facts,
                "url": f"{API}/revisions/{prediction.pk}/probability?v={digest[:12]}",
                "layer": layer.name,
                "segment": found.segment,
                "model": prediction.model_name,
            }
    return None


def prediction_of(assignment: Assignment, layer: Layer, heads: dict[str, Head], user: User) -> MaskRevision | None:
    """The model's mask that this person may know of: a judge the newest, an annotator the one their work began with.

    Where the work began blank although a model spoke, an annotator learns nothing of it: that is the bias check.
    """
    reviewing = assignment.stage == Assignment.Stage.REVIEW
    if reviewing and has_role(user, assignment.campaign, Role.REVIEWER, Role.ARBITRATOR):
        return newest_prediction(assignment.scan_id, layer.name)
    start = heads[layer.name].start if layer.name in heads else None
    return start if start is not None and start.kind == MaskRevision.Kind.PREDICTION else None


def _other_readers(round_: ReviewRound, layer: Layer) -> list[tuple[int, MaskRevision]]:
    """What other readers of the scan have handed in, the newest round of each, by their number: for judges only.

    Readers are blind to each other: no annotator is told of them, and what is not handed in is shown to nobody.
    """
    rows = (
        RoundMask.objects.filter(
            round__annotation__scan=round_.annotation.scan_id,
            layer=layer.name,
            submitted__isnull=False,
            round__annotation__campaign=round_.annotation.campaign_id,
        )
        .exclude(round__annotation=round_.annotation_id)
        .select_related("submitted", "round__annotation")
        .order_by("round__number")
    )
    return sorted({row.round.annotation.reader: row.submitted for row in rows if row.submitted is not None}.items())
