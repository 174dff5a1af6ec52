"""What waits for a decision of the coordinator."""

from dataclasses import dataclass

from annotation.learning.models import ModelVersion
from annotation.learning.states import ModelState
from annotation.pages.selectors.batches import IDLE_DAYS, Card
from annotation.pages.selectors.readers import PersonRow
from annotation.pages.templatetags.figures import plural
from annotation.scans.models import Scan
from annotation.scans.states import ScanState
from annotation.work.models import Assignment, Campaign
from annotation.work.states import AssignmentState


@dataclass
class Decision:
    """Something that needs the coordinator."""

    tone: str
    icon: str
    title: str
    text: str
    link: str = ""
    post: str = ""
    word: str = ""


def decisions(
    campaign: Campaign, found: list[Card], annotators: list[PersonRow], challenger: ModelVersion | None
) -> list[Decision]:
    """What a coordinator should look at, most urgent first."""
    late = [_late(card) for card in found if card.days_late or card.idle_days >= IDLE_DAYS]
    out = [*late, *_blocked(campaign), *(_often_returned(row) for row in annotators if row.note == "often returned")]
    refused = Scan.objects.filter(
        campaign_scans__campaign=campaign, state__in=[ScanState.REJECTED, ScanState.FAILED]
    ).count()
    if refused:
        out.append(
            Decision(
                "",
                "inbox",
                f"{plural(refused, 'scan')} were refused",
                "Each says why; fix and upload again",
                link=f"/campaigns/{campaign.slug}/scans/?state=refused",
                word="See reasons",
            )
        )
    if challenger is not None:
        out.append(
            Decision(
                "",
                "cpu",
                f"Model {challenger} waits for a decision",
                "The gate leaves it to a person"
                if challenger.state == ModelState.UNDECIDED
                else "It passed the gate on the hold-out sites",
                link=f"/campaigns/{campaign.slug}/models/?model={challenger.number}",
                word="See comparison",
            )
        )
    return out


def _late(card: Card) -> Decision:
    idle = f" and untouched for {card.idle_days}" if card.idle_days else ""
    if card.days_late:
        title = f"{card.batch.name} is {plural(card.days_late, 'day')} late{idle}"
    else:
        title = f"{card.batch.name} is untouched for {plural(card.idle_days, 'day')}"
    queued = card.counts[AssignmentState.QUEUED]
    can_reclaim = bool(queued and card.batch.assignee_id)
    return Decision(
        "bad",
        "ban",
        title,
        f"{plural(queued, 'queued scan')} can be reclaimed without losing work"
        if queued
        else "Nothing is left to reclaim; every scan was begun",
        link=f"/batches/{card.batch.pk}/",
        post=f"/batches/{card.batch.pk}/reclaim/" if can_reclaim else "",
        word=f"Reclaim {plural(queued, 'scan')}" if can_reclaim else "Open batch",
    )


def _blocked(campaign: Campaign) -> list[Decision]:
    rows = Assignment.objects.filter(campaign=campaign, state=AssignmentState.BLOCKED)
    return [
        Decision(
            "bad",
            "hand",
            f"{row.scan.code} is blocked by {row.person}",
            row.reason,
            link=f"/batches/{row.batch_id}/",
            word="Open batch",
        )
        for row in rows.select_related("scan", "person", "batch")[:3]
    ]


def _often_returned(row: PersonRow) -> Decision:
    return Decision(
        "warn",
        "triangle-alert",
        f"{row.user}: first-pass acceptance {100 * (row.first_pass or 0):.0f} %",
        f"{plural(row.judged, 'scan')} judged; read the comments together",
        link="/reviews/",
        word="Open reviews",
    )
