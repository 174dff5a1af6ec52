"""Whether the person at an assignment has looked at the scan, by the policy of the campaign."""

from annotation.reviews.interlocks import Interlock
from annotation.scans.volumes import ready_volume
from annotation.work.models import Assignment, SeenPolicy
from annotation.work.seen import Seen, read_seen


def seen_of(assignment: Assignment) -> Seen:
    """What the person at this assignment has looked at."""
    return read_seen(assignment.seen, ready_volume(assignment.scan).shape_zyx[0])


def check_seen(assignment: Assignment) -> list[Interlock]:
    """`not_seen` when too little was looked at, as a warning or blocking; nothing where the campaign does not ask."""
    policy = assignment.campaign.seen_policy
    if policy == SeenPolicy.OFF:
        return []
    seen = seen_of(assignment)
    if seen.is_enough:
        return []
    _, rows, columns = ready_volume(assignment.scan).shape_zyx
    jump = (columns // 2, rows // 2, seen.first_unseen or 0)
    return [Interlock("not_seen", f"{seen.words}.", blocking=policy == SeenPolicy.BLOCK, jump={"ijk": jump})]
