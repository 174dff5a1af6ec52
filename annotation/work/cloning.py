"""A new campaign from one that works: its policies, label schema, guidelines and people, without scans and work."""

from collections.abc import Iterable
from copy import deepcopy
from uuid import UUID

from django.db import transaction

from annotation.work.campaigns import CHANGEABLE, create_campaign, set_member
from annotation.work.models import Campaign, CampaignMember
from voxloop.accounts.actors import Actor
from voxloop.audit.services import record
from voxloop.kernel.errors import Invalid

# The plan is of the old campaign; a training profile cannot be changed later, and so comes along.
OWN = frozenset({"name", "planned_scans", "planned_until"})
COPIED = (*(name for name in CHANGEABLE if name not in OWN), "train_profile")


@transaction.atomic
def clone_campaign(
    *, source: Campaign, name: str, slug: str, members: Iterable[tuple[UUID, str]], actor: Actor
) -> Campaign:
    """A campaign with the policies, guidelines and a copy of the label schema of `source`, and with `members` of it
    (person, role). A coordinator who clones coordinates the new one. No scan, batch, mask, model, gold, certification
    or pause comes along.

    Raises Conflict (`campaign_taken`, `slug_taken`), Invalid (`not_a_member` for who has no such role in `source`)."""
    wanted = set(members)
    rows = {
        (row.user_id, row.role): row
        for row in CampaignMember.objects.filter(campaign=source, user__is_active=True).select_related("user")
    }
    if not wanted <= set(rows):
        raise Invalid("Take people and roles of the campaign that is copied; the page has a list.", code="not_a_member")
    policies = {field: getattr(source, field) for field in COPIED}
    made = create_campaign(name=name, slug=slug, definition=deepcopy(source.schema.definition), actor=actor, **policies)
    for key in sorted(wanted, key=str):
        set_member(campaign=made, user=rows[key].user, role=key[1], actor=actor)
    record(
        actor=actor,
        action="campaign.cloned",
        target=made,
        new={"from": source.slug, "schema_version": source.schema.version, "members": len(wanted)},
    )
    return made
