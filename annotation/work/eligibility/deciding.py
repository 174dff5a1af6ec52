"""What a person decides on eligibility: the criteria, one series of a study, and scans against the criteria."""

from uuid import UUID

from django.db import transaction

from annotation.scans.models import Scan
from annotation.work.eligibility.judging import judge_soon, judge_study_of, rules_of
from annotation.work.eligibility.rules import Rules
from annotation.work.models import Campaign, Criteria, Eligibility, Overrule
from annotation.work.permissions import require_role
from annotation.work.selectors import visible_scans
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.audit.services import record
from voxloop.jobs.models import Job
from voxloop.kernel.errors import Conflict, Invalid
from voxloop.kernel.reasons import kept_reason


@transaction.atomic
def set_criteria(*, campaign: Campaign, rules: Rules | None, actor: User) -> tuple[bool, Job | None]:
    """Put criteria in force, or (None) take them away; every scan is judged again. Returns whether they differ, and the
    job that judges where the scans are many. Raises Forbidden, Invalid (`bad_criteria`)."""
    require_role(actor, campaign, Role.DATA_MANAGER)
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    old = rules_of(campaign)
    if rules is not None:
        rules.check()
    if rules == old:
        return False, None
    if rules is None:
        Criteria.objects.filter(campaign=campaign).delete()
    else:
        Criteria.objects.update_or_create(campaign=campaign, defaults={"definition": rules.to_json()})
    record(
        actor=actor,
        action="criteria.changed",
        target=campaign,
        old=old.to_json() if old else None,
        new=rules.to_json() if rules else None,
    )
    return True, judge_soon(campaign, actor)


@transaction.atomic
def overrule(*, campaign: Campaign, scan_id: UUID | str, to: str, why: str, actor: User) -> Scan:
    """Take a scan against the criteria (`taken`), or leave it out (`left_out`), with a reason.

    Raises Forbidden, Invalid (`no_such_scan`, `reason_required`, `reason_too_long`, `bad_choice`)."""
    row = _lock(campaign, scan_id, actor)
    if to not in Overrule.values:
        raise Invalid("A scan is taken or left out; say which.", code="bad_choice")
    if not why.strip():
        raise Invalid("Say why: it stands beside the scan and in the log.", code="reason_required")
    old = row.overruled
    row.overruled, row.overruled_why, row.overruled_by = to, kept_reason(why), actor
    row.save(update_fields=["overruled", "overruled_why", "overruled_by"])
    told = {"scan": row.scan.code, "to": to}
    record(actor=actor, action="eligibility.overruled", target=campaign, old=old or None, new=told, why=why.strip())
    judge_study_of(campaign, row.scan, actor)
    return row.scan


@transaction.atomic
def undo_overrule(*, campaign: Campaign, scan_id: UUID | str, actor: User) -> Scan:
    """Let the criteria decide again. Raises Forbidden, Invalid (`no_such_scan`), Conflict (`not_overruled`)."""
    row = _lock(campaign, scan_id, actor)
    if not row.overruled:
        raise Conflict(f"Nobody overruled the criteria for {row.scan.code}.", code="not_overruled")
    old = {"to": row.overruled, "why": row.overruled_why}
    row.overruled, row.overruled_why, row.overruled_by = "", "", None
    row.save(update_fields=["overruled", "overruled_why", "overruled_by"])
    record(actor=actor, action="eligibility.overrule_undone", target=campaign, old=old, new={"scan": row.scan.code})
    judge_study_of(campaign, row.scan, actor)
    return row.scan


@transaction.atomic
def pick_series(*, campaign: Campaign, scan_id: UUID | str, actor: User, is_picked: bool = True) -> Scan:
    """Let a scan stand for its study, or take that back. Raises Forbidden, Invalid (`no_such_scan`), Conflict
    (`not_to_pick`) for one that the criteria exclude, or without a study."""
    row = _lock(campaign, scan_id, actor)
    series = row.scan.series
    others = Eligibility.objects.filter(campaign=campaign, scan__series__study=series.study_id if series else None)
    held = {code for code, _ in row.reasons} - {"not_picked", "another_picked"}
    if series is None or row.overruled == Overrule.LEFT_OUT or (held and not row.overruled):
        raise Conflict(f"{row.scan.code} is excluded for another reason; overrule that first.", code="not_to_pick")
    old = list(others.filter(is_picked=True).values_list("scan__code", flat=True))
    others.update(is_picked=False)
    if is_picked:
        Eligibility.objects.filter(pk=row.pk).update(is_picked=True)
    told = {"scan": row.scan.code, "picked": is_picked}
    record(actor=actor, action="eligibility.picked", target=campaign, old={"picked": old}, new=told)
    judge_study_of(campaign, row.scan, actor)
    return row.scan


def _lock(campaign: Campaign, scan_id: UUID | str, actor: User) -> Eligibility:
    require_role(actor, campaign, Role.DATA_MANAGER)
    Campaign.objects.select_for_update().get(pk=campaign.pk)
    try:
        key = UUID(str(scan_id))
    except ValueError as error:
        raise Invalid("Say which scan.", code="no_such_scan") from error
    row = (
        Eligibility.objects.select_related("scan__series")
        .filter(campaign=campaign, scan=key, scan__in=visible_scans(actor))
        .first()
    )
    if row is None:
        raise Invalid("There is no such scan among those that were judged.", code="no_such_scan")
    return row
