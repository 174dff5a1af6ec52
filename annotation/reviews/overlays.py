"""Overlays that the viewer may show besides the mask: predictions, earlier rounds, other readers, a correction."""

from annotation.masks.models import Head, MaskRevision, ProbabilityMap
from annotation.masks.selectors import newest_prediction, schema_of
from annotation.reviews.consensus import list_versions
from annotation.reviews.facts import OverlayFacts, ProbabilityFacts
from annotation.reviews.feedback import reference_of
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.reviews.states import RoundState
from annotation.work.models import Assignment
from annotation.work.permissions import has_role
from annotation.work.requeuing import whole_line
from annotation.work.schema import Layer
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role

API = "/api/v1"


def overlays_of(
    assignment: Assignment, heads: dict[str, Head], round_: ReviewRound | None, user: User
) -> list[OverlayFacts]:
    """The overlays of an assignment for the viewer context (docs/formats.md)."""
    found: list[OverlayFacts] = []

    def add(key: str, title: str, revision: MaskRevision | None) -> None:
        if revision is not None:
            url = f"{API}/revisions/{revision.pk}/mask"
            found.append(OverlayFacts(key, title, revision.layer, revision.pk, url))

    reviewing = assignment.stage == Assignment.Stage.REVIEW
    for layer in schema_of(assignment).editable_layers:
        if assignment.stage == Assignment.Stage.ARBITRATION:
            for key, title, revision in list_versions(assignment, layer):
                add(key, title, revision)
            continue
        prediction = prediction_of(assignment, layer, heads, user)
        if prediction is not None:
            add("prediction", f"Pre-annotation {prediction.model_name}", prediction)
        if assignment.stage == Assignment.Stage.CERTIFICATION:
            add("correction", "Reference", reference_of(assignment, layer.name, user))
        if round_ is None:
            continue
        judged = round_.masks.select_related("submitted", "approved").filter(layer=layer.name).first()
        if reviewing:
            add("author", f"Submitted by {round_.author.username}", judged.submitted if judged else None)
        elif judged is not None and judged.approved_id != judged.submitted_id and round_.reviewer is not None:
            add("correction", f"Corrected by {round_.reviewer.username}", judged.approved)
        earlier = (
            ReviewRound.with_planted.filter(annotation__in=whole_line(round_.annotation), number__lt=assignment.round)
            .order_by("-number")
            .first()
        )
        if earlier is not None:
            before = earlier.masks.select_related("submitted").filter(layer=layer.name).first()
            add("previous", f"Round {earlier.number}", before.submitted if before else None)
        # Whoever judges one of several independent readings learns of the others after the verdict.
        is_blind = round_.annotation.is_overlap and round_.state in (RoundState.PENDING, RoundState.CLAIMED)
        # At no time: a plain scan has no other reader.
        is_blind |= round_.annotation.is_gold or round_.is_planted
        if reviewing and not is_blind and has_role(user, assignment.campaign, Role.REVIEWER, Role.ARBITRATOR):
            for reader, theirs in _other_readers(round_, layer):
                add(f"reader-{reader}", f"Reader {reader}", theirs)
    return found


def probability_of(assignment: Assignment, heads: dict[str, Head], user: User) -> ProbabilityFacts | None:
    """The probability map of the shown prediction (docs/formats.md); None without one."""
    for layer in schema_of(assignment).editable_layers:
        prediction = prediction_of(assignment, layer, heads, user)
        found = ProbabilityMap.objects.filter(revision=prediction).first() if prediction is not None else None
        if prediction is not None and found is not None:
            digest = found.key.rpartition("/")[2]
            return ProbabilityFacts(
                url=f"{API}/revisions/{prediction.pk}/probability?v={digest[:12]}",
                bytes=found.facts["bytes"],
                shape_zyx=found.facts["shape_zyx"],
                step_zyx=found.facts["step_zyx"],
                layer=layer.name,
                model=prediction.model_name,
                segment=found.segment,
            )
    return None


def prediction_of(assignment: Assignment, layer: Layer, heads: dict[str, Head], user: User) -> MaskRevision | None:
    """The prediction that this person may see: for a reviewer the newest, for an annotator the one their work started
    from. None for an annotator whose work started blank despite a prediction: that is the bias check."""
    reviewing = assignment.stage == Assignment.Stage.REVIEW
    if reviewing and has_role(user, assignment.campaign, Role.REVIEWER, Role.ARBITRATOR):
        return newest_prediction(assignment.scan_id, layer.name)
    start = heads[layer.name].start if layer.name in heads else None
    return start if start is not None and start.kind == MaskRevision.Kind.PREDICTION else None


def _other_readers(round_: ReviewRound, layer: Layer) -> list[tuple[int, MaskRevision]]:
    """Submissions of other readers of the scan, the newest round of each, by their number: for reviewers only.
    Annotators are blind to other readers, and unsubmitted work is shown to nobody."""
    rows = (
        RoundMask.objects.filter(
            round__annotation__scan=round_.annotation.scan_id,
            layer=layer.name,
            submitted__isnull=False,
            round__annotation__campaign=round_.annotation.campaign_id,
            round__annotation__is_gold=False,
            round__is_planted=False,
        )
        .exclude(round__annotation=round_.annotation_id)
        .select_related("submitted", "round__annotation")
        .order_by("round__number")
    )
    return sorted({row.round.annotation.reader: row.submitted for row in rows if row.submitted is not None}.items())
