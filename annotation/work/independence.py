"""Who is independent of the other readers of a scan: they neither read nor judge another reading of it."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotation.work.models import Assignment
from voxloop.accounts.models import User

_READINGS = Assignment.objects.filter(stage=Assignment.Stage.ANNOTATION)


def knows_it(user: User) -> Q:
    """Independent readings of scans that the person reads or judges already, or did: not for them. Who had this very
    reading before may go on with it."""
    theirs = Assignment.objects.filter(person=user, campaign=OuterRef("campaign"), scan=OuterRef("scan"))
    other = ~Q(reader=OuterRef("reader")) | ~Q(stage=Assignment.Stage.ANNOTATION)
    return Q(is_overlap=True) & Q(Exists(theirs.filter(other)))


def knows_scan(person: User, assignment: Assignment) -> bool:
    """`knows_it` of one reading."""
    return Assignment.objects.filter(knows_it(person), pk=assignment.pk).exists()


def not_for(person: User, moved: QuerySet[Assignment]) -> list[UUID]:
    """Of readings to be given to one person those that would not be independent: of scans that the person knows, and
    all but one of each scan."""
    known = set(moved.filter(knows_it(person)).values_list("pk", flat=True))
    given: set[UUID] = set()
    for pk, scan in moved.filter(is_overlap=True).order_by("reader").values_list("pk", "scan_id"):
        if pk not in known and scan in given:
            known.add(pk)
        elif pk not in known:
            given.add(scan)
    return list(known)


def reads_scan_of(user: User, annotation: str) -> Q:
    """Rows whose `annotation` is of a scan with several readers of whom the person is or was one: they judge no
    reading of it."""
    theirs = _READINGS.filter(
        person=user, campaign=OuterRef(f"{annotation}__campaign"), scan=OuterRef(f"{annotation}__scan")
    )
    return Q(**{f"{annotation}__is_overlap": True}) & Q(Exists(theirs))
