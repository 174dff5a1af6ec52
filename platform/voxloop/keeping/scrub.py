"""Check everything that is stored: present, undamaged, referenced? And repair it from a back-up."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction

from voxloop.accounts.actors import Actor, SystemActor
from voxloop.audit.services import record
from voxloop.jobs.running import Claim
from voxloop.keeping.models import Damage
from voxloop.keeping.registry import CHECKS, OBJECT_KINDS, ORPHANS, RESCUES
from voxloop.keeping.selectors import open_damage
from voxloop.keeping.services import note_damage, note_whole
from voxloop.kernel.errors import Damaged, Refusal
from voxloop.storage.objects import Store
from voxloop.storage.reading import read_object
from voxloop.storage.store import open_store

Tell = Callable[[int, str], None]
SHOWN = 1000  # names of one kind in a report


@dataclass
class ScrubReport:
    """Result of a scrub. `damaged`, `missing`: thing → what is wrong; `checked`: kind → how many."""

    checked: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    repaired: list[str] = field(default_factory=list)
    unreferenced: list[str] = field(default_factory=list)
    half_written: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged or missing. Left-overs are harmless."""
        return not self.damaged and not self.missing

    def facts(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"whole": self.is_whole, **asdict(self)}

    def counts(self) -> dict[str, int]:
        """Counts only, as a job stores them."""
        kinds = ("damaged", "missing", "repaired", "unreferenced", "half_written")
        return {"checked": sum(self.checked.values()), **{kind: len(getattr(self, kind)) for kind in kinds}}


def scrub(*, noticed_by: Actor, tell: Tell = lambda percent, what: None, copy: Store | None = None) -> ScrubReport:
    """Check every stored thing; record damage and clear the records of what is whole again. `copy` is the store of a
    back-up: damaged or missing objects are restored from it when its bytes match the key."""
    store = open_store(settings.STORAGE_URL)
    named = {prefix: sorted(kind.keys()) for prefix, kind in OBJECT_KINDS.items()}
    total = sum(map(len, named.values())) + sum(check.count() for check in CHECKS.values()) or 1
    report, done = ScrubReport(), 0
    known = set(open_damage().values_list("thing", flat=True))
    unseen = set(known)  # marked things that are no longer referenced, so not checked

    def look(kind: str, thing: str, found: Damaged | None) -> None:
        nonlocal done
        done += 1
        unseen.difference_update([thing, found.thing] if found else [thing])
        report.checked[kind] = report.checked.get(kind, 0) + 1
        if found is not None:
            note_damage(found, noticed_by=noticed_by)
            (report.missing if found.is_missing else report.damaged)[found.thing] = found.detail
        elif thing in known:
            note_whole([thing], actor=noticed_by)
        tell(min(99, done * 100 // total), f"Checking {kind}")

    for prefix, keys in named.items():
        for key in keys:
            found = find_damage(store, key)
            if found is not None and copy is not None and put_back(store, copy, key, actor=noticed_by):
                report.repaired.append(key)
                found = None
            look(prefix, key, found)
    for check in CHECKS.values():
        for thing, found in check.check():
            look(check.name, thing, found)
    note_whole(unseen, actor=noticed_by)
    for prefix, keys in named.items():
        used = set(keys)
        report.unreferenced += [entry.key for entry in store.list(prefix) if entry.key not in used]
    for remains in ORPHANS.values():
        report.unreferenced += [thing for thing, _ in remains.find()]
    report.half_written = [entry.key for entry in store.leftovers()]
    return report


def scrub_and_repair(*, noticed_by: Actor, address: str, copy: Store, tell: Tell) -> ScrubReport:
    """As `scrub`, and what is damaged in the database is put back out of the back-up at this address, too.

    Looked at again after each repair: a revision names the first of its missing parts only.
    """
    report = scrub(noticed_by=noticed_by, tell=tell, copy=copy)
    repaired = report.repaired
    while put_back := _put_back_rows(address, [*report.damaged, *report.missing], actor=noticed_by):
        report = scrub(noticed_by=noticed_by, tell=tell, copy=copy)
        repaired = [*repaired, *put_back, *report.repaired]
    report.repaired = repaired
    return report


@transaction.atomic
def _put_back_rows(address: str, things: Sequence[str], *, actor: Actor) -> list[str]:
    put_back: list[str] = []
    for rescue in RESCUES.values():
        if damaged := [thing for thing in things if thing.partition("/")[0] == rescue.prefix]:
            put_back += rescue.put_back(address, damaged)
    for thing in put_back:
        mark = Damage.objects.filter(thing=thing).first() or Damage(thing=thing)
        record(actor=actor, action="object.repaired", target=mark, new={"thing": thing})
    return put_back


def find_damage(store: Store, key: str) -> Damaged | None:
    """What is wrong with an object; None when it is whole."""
    try:
        read_object(store, key)
    except Damaged as found:
        return found
    return None


def put_back(store: Store, copy: Store, key: str, *, actor: Actor) -> bool:
    """Restore one object from a copy; False where the copy has no good bytes either."""
    try:
        data = read_object(copy, key)
    except Refusal:
        return False
    store.restore(key, data)
    with transaction.atomic():
        note_whole([key], actor=actor)
        mark = Damage.objects.filter(thing=key).first() or Damage(thing=key)
        record(actor=actor, action="object.repaired", target=mark, new={"thing": key, "bytes": len(data)})
    return True


def scrub_as_job(claim: Claim) -> dict[str, Any]:
    """The weekly scrub. Raises LeaseLost; a scrub that finds damage has succeeded as a job."""
    last = -1

    def tell(percent: int, what: str) -> None:
        nonlocal last
        if percent != last:
            last = percent
            claim.report(percent, what)

    return scrub(noticed_by=SystemActor.SCRUB, tell=tell).counts()
