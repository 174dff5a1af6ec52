"""Look at everything that is stored: is it there, what it was, and named? And repair it out of a back-up."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction

from voxloop.audit.services import record
from voxloop.jobs.services import Claim
from voxloop.keeping.models import Damage
from voxloop.keeping.selectors import open_damage
from voxloop.keeping.services import note_damage, note_whole
from voxloop.keeping.shelves import REMAINS, SHELVES, WALKS
from voxloop.kernel.errors import Damaged, Refusal
from voxloop.storage.reading import read_object
from voxloop.storage.store import Store, open_store

Tell = Callable[[int, str], None]
SHOWN = 1000  # names of one kind in a report


@dataclass
class Report:
    """What a scrub found. `damaged`, `missing`: thing → what is wrong; `checked`: kind → how many."""

    checked: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    repaired: list[str] = field(default_factory=list)
    unreferenced: list[str] = field(default_factory=list)
    half_written: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged or missing any more. What is left over harms nobody."""
        return not self.damaged and not self.missing

    def facts(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"whole": self.is_whole, **asdict(self)}

    def counts(self) -> dict[str, int]:
        """In figures, as a job keeps it."""
        kinds = ("damaged", "missing", "repaired", "unreferenced", "half_written")
        return {"checked": sum(self.checked.values()), **{kind: len(getattr(self, kind)) for kind in kinds}}


def scrub(*, noticed_by: str, tell: Tell = lambda percent, what: None, copy: Store | None = None) -> Report:
    """Check every stored thing; note what is damaged, end the marks of what is whole again.

    `copy` is a store with good bytes (of a back-up): objects that are damaged or missing are put back out of it, once
    the bytes there fit their name.
    """
    store = open_store(settings.STORAGE_URL)
    named = {prefix: sorted(shelf.keys()) for prefix, shelf in SHELVES.items()}
    total = sum(map(len, named.values())) + sum(walk.count() for walk in WALKS.values()) or 1
    report, done = Report(), 0
    known = set(open_damage().values_list("thing", flat=True))
    unseen = set(known)  # what is not met any more, because nothing names it

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
    for walk in WALKS.values():
        for thing, found in walk.check():
            look(walk.name, thing, found)
    note_whole(unseen, actor=noticed_by)
    for prefix, keys in named.items():
        used = set(keys)
        report.unreferenced += [entry.key for entry in store.list(prefix) if entry.key not in used]
    for remains in REMAINS.values():
        report.unreferenced += [thing for thing, _ in remains.find()]
    report.half_written = [entry.key for entry in store.leftovers()]
    return report


def find_damage(store: Store, key: str) -> Damaged | None:
    """What is wrong with an object; None when it is whole."""
    try:
        read_object(store, key)
    except Damaged as found:
        return found
    return None


def put_back(store: Store, copy: Store, key: str, *, actor: Any) -> bool:
    """Restore one object out of a copy; False where the copy has no good bytes of it either."""
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
    """The weekly scrub. Raises LeaseLost; a scrub that finds damage has done its work and is no failed job."""
    last = -1

    def tell(percent: int, what: str) -> None:
        nonlocal last
        if percent != last:
            last = percent
            claim.report(percent, what)

    return scrub(noticed_by="scrub", tell=tell).counts()
