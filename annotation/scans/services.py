"""Sites, membership, and withdrawal of scans."""

import re
from collections.abc import Callable
from typing import Any

from django.db import transaction

from annotation.scans.models import Scan, Site, SiteMembership
from annotation.scans.states import SCAN, ScanState
from voxloop.accounts.actors import Actor
from voxloop.accounts.models import User
from voxloop.accounts.tokens import end_tokens
from voxloop.audit.services import advance, record
from voxloop.kernel.errors import Conflict, Invalid, NotFound

Listener = Callable[..., None]
_on_withdrawn: list[Listener] = []


def on_withdrawn(listener: Listener) -> Listener:
    """Register a service that ends its use of a withdrawn scan (AppConfig.ready): `listener(scan=…, actor=…)`."""
    if listener not in _on_withdrawn:
        _on_withdrawn.append(listener)
    return listener


SITE_CODE = re.compile(r"\A[A-Za-z0-9]+\Z")


@transaction.atomic
def create_site(*, code: str, name: str, split: str, actor: Actor) -> Site:
    """Add an institution. Its side of the split is fixed from here on.

    Raises Invalid for a code that is not letters and digits, Conflict for one that is taken: scans are numbered within
    `VX-CODE-`, so codes must not clash as prefixes, nor differ only in case."""
    if not SITE_CODE.fullmatch(code):
        raise Invalid("The code of a site is letters a to z and digits only.", code="bad_site")
    if Site.objects.filter(code__iexact=code).exists():
        raise Conflict(f"There is already a site with the code {code}.", code="site_taken")
    site = Site(code=code, name=name, split=split)
    site.full_clean()
    site.save()
    record(actor=actor, action="site.created", target=site, new={"code": code, "split": split})
    return site


@transaction.atomic
def rename_site(*, site_id: Any, name: str, actor: Actor) -> bool:
    """Change the name of a site; returns whether it differs. Raises Invalid for an empty or long one."""
    site = Site.objects.select_for_update().filter(pk=site_id).first()
    if site is None:
        raise NotFound
    name, old = name.strip(), site.name
    if not 0 < len(name) <= 120:
        raise Invalid("The name of a site has 1 to 120 characters.", code="bad_site_name")
    if name == old:
        return False
    site.name = name
    site.save(update_fields=["name"])
    record(actor=actor, action="site.renamed", target=site, old={"name": old}, new={"name": name})
    return True


@transaction.atomic
def set_site_membership(*, user: User, site: Site, is_member: bool, actor: Actor) -> None:
    """Grant or remove access to a site's scans; removing it also revokes the person's tokens."""
    rows = SiteMembership.objects.filter(user=user, site=site)
    if is_member and not rows.exists():
        SiteMembership.objects.create(user=user, site=site)
        record(actor=actor, action="site.member_added", target=site, new={"user": user.username})
    elif not is_member and rows.exists():
        rows.delete()
        record(actor=actor, action="site.member_removed", target=site, old={"user": user.username})
        end_tokens(user=user, actor=actor, why="a site was taken away")


@transaction.atomic
def withdraw_scan(*, scan_id: Any, actor: Actor, why: str) -> Scan:
    """Withdraw a scan from all future use; existing results stay in the log."""
    scan = Scan.objects.select_for_update().filter(pk=scan_id).first()
    if scan is None:
        raise NotFound
    advance(scan, ScanState.WITHDRAWN, table=SCAN, actor=actor, why=why, reason=why)
    end_uses(scan=scan, actor=actor)
    return scan


def end_uses(*, scan: Scan, actor: Actor) -> None:
    """End work, reviews and trainings in progress on a scan that is no longer used."""
    for listener in _on_withdrawn:
        listener(scan=scan, actor=actor)
