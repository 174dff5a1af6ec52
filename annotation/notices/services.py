"""Tell a person something once, mark what was read, and keep which kinds a person wants where."""

from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from annotation.notices.kinds import Channel, NoticeKind
from annotation.notices.models import Notice
from annotation.work.models import Campaign
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Invalid, NotFound

PART = "notices"  # of a person's preferences: what is switched off, as `kind:channel`


def tell(*, person: User, campaign: Campaign, kind: NoticeKind, key: str, text: str, url: str) -> bool:
    """Tell a person, once for each key, where they want to be told. Whether there is a new notice."""
    if not person.is_active:
        return False
    off = switched_off(person)
    on_page = f"{kind}:{Channel.PAGE}" not in off
    by_mail = settings.MAIL_IS_SET and bool(person.email) and f"{kind}:{Channel.MAIL}" not in off
    if not (on_page or by_mail):
        return False
    _, is_new = Notice.objects.get_or_create(
        person=person,
        key=key,
        defaults={
            "campaign": campaign,
            "kind": kind,
            "text": text[:300],
            "url": url,
            "on_page": on_page,
            "by_mail": by_mail,
            "mail_next_at": now() if by_mail else None,
        },
    )
    return is_new


def switched_off(person: User) -> frozenset[str]:
    """What a person has switched off, as `kind:channel`."""
    return frozenset(person.preferences.get(PART, {}).get("off", []))


@transaction.atomic
def choose(*, person: User, wanted: Collection[str], email: str) -> None:
    """Keep what a person wants to be told (`kind:channel`; everything else is off) and the address for mail; empty for
    none. Raises Invalid (`bad_email`)."""
    email = email.strip()
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Invalid(
                "This is not an e-mail address; write one like name@hospital.example.", code="bad_email"
            ) from None
    row = User.objects.select_for_update().get(pk=person.pk)
    every = {f"{kind}:{channel}" for kind in NoticeKind.values for channel in Channel.values}
    off = sorted(every - set(wanted))
    had_address = row.email
    row.preferences = {**row.preferences, PART: {"off": off}}
    row.email = email
    row.save(update_fields=["preferences", "email"])
    # The log says that the address changed, not which it is.
    record(
        actor=person, action="person.notices_chosen", target=row, new={"off": off, "new_address": email != had_address}
    )
    if not email:
        Notice.objects.filter(person=row, mail_next_at__isnull=False).update(mail_next_at=None)


def mark_read(*, person: User, only: UUID | None = None) -> Notice | None:
    """Mark one notice of a person read, and return it; without `only`, all of them. Raises NotFound."""
    rows = Notice.objects.filter(person=person, on_page=True)
    if only is None:
        rows.filter(read_at__isnull=True).update(read_at=now())
        return None
    found = rows.filter(pk=only).first()
    if found is None:
        raise NotFound
    rows.filter(pk=only, read_at__isnull=True).update(read_at=now())
    return found
