"""What a newcomer's work list says of the certification."""

from dataclasses import dataclass

from annotation.reviews.feedback import next_of
from annotation.reviews.models import GoldResult, Trial
from annotation.reviews.states import TrialState
from annotation.reviews.trials import certification_set, pass_mark
from annotation.work.certifying import must_certify, must_certify_again
from annotation.work.models import Assignment, Campaign
from voxloop.accounts.models import User


@dataclass(frozen=True)
class TrialPanel:
    """How the certification stands: scans of the set, the mark, the last attempt, and the next scan of an open one."""

    scans: int
    pass_dice: float
    last: Trial | None
    following: Assignment | None
    measured: int
    again: bool  # was certified; the guidelines ask for it again

    @property
    def is_open(self) -> bool:
        return self.last is not None and self.last.state == TrialState.WORKING


def trial_panel(user: User, campaign: Campaign | None) -> TrialPanel | None:
    """None for whoever may work already."""
    if campaign is None or not must_certify(user, campaign):
        return None
    last = Trial.objects.filter(campaign=campaign, person=user).select_related("batch").order_by("-number").first()
    is_open = last is not None and last.state == TrialState.WORKING
    return TrialPanel(
        scans=len(certification_set(campaign, user)),
        pass_dice=last.pass_dice if last is not None and is_open else pass_mark(campaign).dice,
        last=last,
        following=next_of(last) if last is not None and is_open else None,
        again=must_certify_again(user, campaign),
        measured=GoldResult.objects.filter(trial=last).count() if is_open else 0,
    )
