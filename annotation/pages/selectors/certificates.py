"""What the page of a batch says of its certificate."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.pages.templatetags.figures import plural
from annotation.reviews.certificates import DEFECTS
from annotation.reviews.models import Certificate, ReviewRound
from annotation.reviews.sampling import confidence_of, most_bad
from annotation.reviews.states import CertificateState, RoundState
from annotation.work.models import Batch, ReviewPolicy
from annotation.work.states import BatchState


@dataclass(frozen=True)
class SamplePanel:
    """The newest certificate of a batch: how far its sample is judged, and what it proves, in sentences."""

    certificate: Certificate
    judged: int
    defects: int
    rest: int
    extras: int
    said: str
    may_accept: bool


def sample_panel(batch: Batch) -> SamplePanel | None:
    """The newest certificate of a batch; None without one."""
    certificate = Certificate.objects.select_related("accepted_by").filter(batch=batch).first()
    if certificate is None:
        return None
    rounds = list(certificate.rounds.values_list("part", "state"))
    sample = [state for part, state in rounds if part == ReviewRound.Part.SAMPLE]
    defects = sum(state in DEFECTS for state in sample)
    judged = defects + sum(state == RoundState.APPROVED for state in sample)
    rest = sum(part == ReviewRound.Part.REST for part, _ in rounds)
    is_clean = judged == certificate.sampled and not defects
    return SamplePanel(
        certificate=certificate,
        judged=judged,
        defects=defects,
        rest=rest,
        extras=sum(part == ReviewRound.Part.EXTRA for part, _ in rounds),
        said=" ".join(say(certificate, judged, defects, rest)),
        may_accept=certificate.state == CertificateState.DRAWN and is_clean,
    )


def say(certificate: Certificate, judged: int, defects: int, rest: int) -> Sequence[str]:
    """What stands, and what is proved."""
    scans, size = certificate.scans, certificate.sampled
    if certificate.state == CertificateState.CANCELLED:
        return [f"The sample was given up: {certificate.reason}. Every scan is reviewed."]
    if judged < size:
        if certificate.state == CertificateState.FAILED:
            return [f"{plural(defects, 'defect')} in the sample: every scan of the batch is reviewed."]
        return [f"{judged} of {size} drawn scans judged, no defect so far. {plural(rest, 'scan')} wait for them."]
    proved = prove(scans, size, defects, certificate.confidence, certificate.excluded)
    if defects:
        return [proved, "Every scan of the batch is reviewed."]
    if certificate.state == CertificateState.ACCEPTED:
        return [proved, f"{certificate.accepted_by} accepted the other {plural(rest, 'scan')} on it."]
    return [proved]


def prove(scans: int, size: int, defects: int, confidence: float, excluded: int) -> str:
    """What a sample that is judged whole proves, with its exact confidence."""
    if not defects:
        exact = confidence_of(scans, size, excluded)
        return (
            f"None of {size} scans drawn at random had a defect: fewer than {excluded} of the {scans} handed in are "
            f"bad, with {100 * exact:.1f} % confidence."
        )
    most = most_bad(scans, size, defects, confidence)
    return (
        f"{defects} of {size} scans drawn at random had a defect: at most {most} of the {scans} handed in were bad, "
        f"with {100 * confidence:.0f} % confidence."
    )


def waiting_whole(batch: Batch) -> int:
    """How many scans a sample could be drawn of now; 0 where it could not."""
    if batch.state != BatchState.SUBMITTED:
        return 0
    states = list(
        ReviewRound.objects.filter(annotation__batch=batch)
        .exclude(state__in=[RoundState.TAKEN_BACK, RoundState.WITHDRAWN, RoundState.RETURNED])
        .values_list("state", "certificate__state")
    )
    if any(state != RoundState.PENDING or drawn == CertificateState.DRAWN for state, drawn in states):
        return 0
    return len(states)


def awaits_sample(batch: Batch) -> bool:
    """Whether a sample will be drawn by the policy of the batch, when its last scan is handed in."""
    live = (BatchState.DRAFT, BatchState.PUBLISHED, BatchState.IN_PROGRESS, BatchState.SUBMITTED)
    return batch.review_policy == ReviewPolicy.SAMPLE and batch.state in live and not batch.certificates.exists()
