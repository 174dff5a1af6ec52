"""Notices that come by the day: a batch that is due, reviews that wait."""

from annotation.notices.gathering import TO_DO, people_with
from annotation.notices.kinds import NoticeKind
from annotation.notices.services import tell
from annotation.reviews.selectors import review_queue
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.states import BatchState
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.accounts.zones import today_of

AT_WORK = (BatchState.PUBLISHED, BatchState.IN_PROGRESS, BatchState.RETURNED)


def remind() -> int:
    """Tell of due dates and waiting reviews; returns how many notices are new."""
    return _remind_of_due_dates() + _remind_of_reviews()


def _remind_of_due_dates() -> int:
    told = 0
    batches = Batch.objects.filter(
        state__in=AT_WORK, due_on__isnull=False, is_paused=False, campaign__is_paused=False
    ).select_related("campaign")
    for batch in batches:
        left = batch.assignments.filter(stage=Assignment.Stage.ANNOTATION, state__in=TO_DO, person__isnull=False)
        for person in User.objects.filter(pk__in=left.values("person_id"), is_active=True):
            days = (batch.due_on - today_of(person)).days if batch.due_on else 99
            if days > 1 or days == 0:
                continue
            told += tell(
                person=person,
                campaign=batch.campaign,
                kind=NoticeKind.DUE,
                key=f"due:{batch.pk}:{batch.due_on}:{'tomorrow' if days == 1 else 'passed'}",
                text=f"Batch {batch} is due tomorrow."
                if days == 1
                else f"The due date of batch {batch} has passed; hand in what is done, or tell the coordinator.",
                url="/worklist/",
            )
    return told


def _remind_of_reviews() -> int:
    told = 0
    for campaign in Campaign.objects.filter(is_paused=False):
        for person in people_with(campaign, Role.REVIEWER):
            if waiting := review_queue(person, campaign).count():
                told += tell(
                    person=person,
                    campaign=campaign,
                    kind=NoticeKind.REVIEWS_WAIT,
                    key=f"reviews:{campaign.pk}:{today_of(person)}",
                    text="1 review waits for you." if waiting == 1 else f"{waiting} reviews wait for you.",
                    url="/reviews/",
                )
    return told
