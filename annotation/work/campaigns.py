"""Campaigns, who belongs to them, and their scans."""

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from annotation.scans.models import PseudonymKey, Scan
from annotation.scans.pseudonyms import make_key
from annotation.work.eligibility.judging import judge_study_of
from annotation.work.models import Campaign, CampaignMember, CampaignScan, Criteria, LabelSchema
from annotation.work.pausable import ENDED, begun
from annotation.work.schema import parse_schema
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.accounts.tokens import end_tokens
from voxloop.audit.services import record
from voxloop.kernel.errors import Conflict, Invalid
from voxloop.kernel.reasons import kept_reason


@transaction.atomic
def create_campaign(*, name: str, slug: str, definition: dict[str, Any], actor: Actor, **policy: Any) -> Campaign:
    """Create a labelling project with its own label schema. `policy` sets fields of the campaign. Whoever makes it
    coordinates it, but for administrators, who give out the roles."""
    parse_schema(definition)
    if Campaign.objects.filter(name=name).exists():
        raise Conflict(f"There is already a campaign called {name}.", code="campaign_taken")
    # `/campaigns/new/` is the form of a new one.
    if slug == "new" or Campaign.objects.filter(slug=slug).exists():
        raise Conflict(f"The short name {slug} is taken; choose another.", code="slug_taken")
    schema = LabelSchema.objects.create(name=_free_name(name), definition=definition)
    campaign = Campaign(name=name, slug=slug, schema=schema, **policy)
    campaign.full_clean(exclude=["schema"])
    campaign.save()
    if isinstance(actor, User) and not actor.is_administrator:
        set_member(campaign=campaign, user=actor, role=Role.COORDINATOR, actor=actor)
    record(actor=actor, action="campaign.created", target=campaign, new={"name": name, "schema": str(schema.pk)})
    return campaign


def _free_name(name: str) -> str:
    """A name for a new schema: versions are counted by name, and a campaign that was renamed keeps its schema's."""
    found, number = name, 1
    while LabelSchema.objects.filter(name=found).exists():
        number += 1
        found = f"{name[:110]} ({number})"
    return found


# What may be changed after creation. Not the short name: addresses are made by it. The label schema gets versions
# (`schema_changing`).
CHANGEABLE = (
    "name",
    "guidelines",
    "planned_scans",
    "planned_until",
    "batch_size",
    "due_days",
    "lease_minutes",
    "seen_policy",
    "proposed_policy",
    "signature_policy",
    "blank_share",
    "older_share",
    "repeat_share",
    "overlap_share",
    "overlap_readers",
    "overlap_low_dice",
    "overlap_most",
    "gold_share",
    "certifies",
    "certification_dice",
    "planted_share",
    "review_policy",
    "retrain_after",
    "retrain_every_days",
    "train_start",
    "promotes_by_itself",
)


@transaction.atomic
def change_campaign(*, campaign: Campaign, actor: Actor, **wanted: Any) -> list[str]:
    """Change fields of a campaign (`CHANGEABLE`); returns the names of those that differ, and logs old and new values.

    A policy counts from now on: what was handed in or signed before stays as it is. Raises Conflict for a name that is
    taken, Invalid for a value outside its bounds (`extra["field"]` names it).
    """
    row = Campaign.objects.select_for_update().get(pk=campaign.pk)
    changed = [name for name in CHANGEABLE if name in wanted and getattr(row, name) != wanted[name]]
    if not changed:
        return []
    if "name" in changed and Campaign.objects.filter(name=wanted["name"]).exclude(pk=row.pk).exists():
        raise Conflict(f"There is already a campaign called {wanted['name']}.", code="campaign_taken")
    old = {name: getattr(row, name) for name in changed}
    for name in changed:
        setattr(row, name, wanted[name])
    if "guidelines" in changed:
        row.guidelines_version += 1
    try:
        row.full_clean(exclude=["schema"])
    except ValidationError as error:
        field, faults = next(iter(error.message_dict.items()))
        raise Invalid(faults[0], code="bad_campaign", field=field) from error
    row.save(update_fields=[*changed, "guidelines_version"])
    record(
        actor=actor,
        action="campaign.changed",
        target=row,
        old={name: _plain(value) for name, value in old.items()},
        new={name: _plain(wanted[name]) for name in changed},
    )
    return changed


@transaction.atomic
def pause_campaign(*, campaign: Campaign, actor: Actor, why: str) -> None:
    """Stop giving out work: nobody takes or opens a scan or a review, and no training begins. What is open is saved
    and handed in as ever. Raises Invalid without a reason, Conflict when it is paused already."""
    row = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if not why.strip():
        raise Invalid("Say why the campaign is paused: everybody in it reads it.", code="reason_required")
    if row.is_paused:
        raise Conflict(f"{row.name} is paused already.", code="paused")
    row.set_pause(begun(kept_reason(why)))
    record(actor=actor, action="campaign.paused", target=row, why=row.pause_reason)


@transaction.atomic
def resume_campaign(*, campaign: Campaign, actor: Actor) -> None:
    """Give out work again. Raises Conflict when it is not paused."""
    row = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if not row.is_paused:
        raise Conflict(f"{row.name} is not paused.", code="not_paused")
    row.set_pause(ENDED)
    record(actor=actor, action="campaign.resumed", target=row)


def _plain(value: Any) -> Any:
    """A value as JSON holds it."""
    return value.isoformat() if isinstance(value, date) else value


@transaction.atomic
def set_member(*, campaign: Campaign, user: User, role: str, is_member: bool = True, actor: Actor) -> None:
    """Grant or remove a role in a campaign; removing one also revokes the person's tokens."""
    rows = CampaignMember.objects.filter(campaign=campaign, user=user, role=role)
    if is_member and not rows.exists():
        # A paused person who gets another role stays paused.
        paused = CampaignMember.objects.filter(campaign=campaign, user=user, is_paused=True).first()
        pause = paused.pause if paused else ENDED
        CampaignMember.objects.create(campaign=campaign, user=user, role=role, **pause)
        record(actor=actor, action="campaign.role_given", target=campaign, new={"user": user.username, "role": role})
    elif not is_member and rows.exists():
        rows.delete()
        record(actor=actor, action="campaign.role_taken", target=campaign, old={"user": user.username, "role": role})
        end_tokens(user=user, actor=actor, why="a role was taken away")


@transaction.atomic
def add_scan(*, campaign: Campaign, scan: Scan, actor: Actor) -> None:
    """Add a scan to a campaign, and judge it by the criteria. Idempotent."""
    _row, created = CampaignScan.objects.get_or_create(campaign=campaign, scan=scan)
    if created:
        record(actor=actor, action="campaign.scan_added", target=campaign, new={"scan": scan.code})
        if Criteria.objects.filter(campaign=campaign).exists():
            judge_study_of(campaign, scan, actor)


@transaction.atomic
def key_of(campaign: Campaign) -> PseudonymKey:
    """The campaign's pseudonym key; created on first use, safely under concurrency."""
    row = Campaign.objects.select_for_update(of=("self",)).select_related("pseudonym_key").get(pk=campaign.pk)
    if row.pseudonym_key is None:
        row.pseudonym_key = make_key()
        row.save(update_fields=["pseudonym_key"])
    return row.pseudonym_key
