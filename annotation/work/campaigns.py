"""Campaigns, who belongs to them, and their scans."""

from typing import Any

from django.db import transaction

from annotation.scans.models import PseudonymKey, Scan
from annotation.scans.pseudonyms import make_key
from annotation.work.models import Campaign, CampaignMember, CampaignScan, LabelSchema
from annotation.work.schema import parse_schema
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.tokens import end_tokens
from voxloop.audit.services import record
from voxloop.kernel.errors import Conflict


@transaction.atomic
def create_campaign(*, name: str, slug: str, definition: dict[str, Any], actor: Actor, **policy: Any) -> Campaign:
    """Create a labelling project with its own label schema. `policy` sets fields of the campaign."""
    parse_schema(definition)
    if Campaign.objects.filter(name=name).exists():
        raise Conflict(f"There is already a campaign called {name}.", code="campaign_taken")
    if Campaign.objects.filter(slug=slug).exists():
        raise Conflict(f"There is already a campaign with the short name {slug}.", code="slug_taken")
    schema = LabelSchema.objects.create(name=name, definition=definition)
    campaign = Campaign(name=name, slug=slug, schema=schema, **policy)
    campaign.full_clean(exclude=["schema"])
    campaign.save()
    record(actor=actor, action="campaign.created", target=campaign, new={"name": name, "schema": str(schema.pk)})
    return campaign


@transaction.atomic
def set_member(*, campaign: Campaign, user: User, role: str, is_member: bool = True, actor: Actor) -> None:
    """Grant or remove a role in a campaign; removing one also revokes the person's tokens."""
    rows = CampaignMember.objects.filter(campaign=campaign, user=user, role=role)
    if is_member and not rows.exists():
        CampaignMember.objects.create(campaign=campaign, user=user, role=role)
        record(actor=actor, action="campaign.role_given", target=campaign, new={"user": user.username, "role": role})
    elif not is_member and rows.exists():
        rows.delete()
        record(actor=actor, action="campaign.role_taken", target=campaign, old={"user": user.username, "role": role})
        end_tokens(user=user, actor=actor, why="a role was taken away")


@transaction.atomic
def add_scan(*, campaign: Campaign, scan: Scan, actor: Actor) -> None:
    """Add a scan to a campaign. Idempotent."""
    _row, created = CampaignScan.objects.get_or_create(campaign=campaign, scan=scan)
    if created:
        record(actor=actor, action="campaign.scan_added", target=campaign, new={"scan": scan.code})


@transaction.atomic
def key_of(campaign: Campaign) -> PseudonymKey:
    """The campaign's pseudonym key; created on first use, safely under concurrency."""
    row = Campaign.objects.select_for_update(of=("self",)).select_related("pseudonym_key").get(pk=campaign.pk)
    if row.pseudonym_key is None:
        row.pseudonym_key = make_key()
        row.save(update_fields=["pseudonym_key"])
    return row.pseudonym_key
