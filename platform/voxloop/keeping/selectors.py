"""Known damage."""

from collections.abc import Iterable

from django.db.models import QuerySet

from voxloop.keeping.models import Damage


def open_damage() -> QuerySet[Damage]:
    """Everything found damaged or missing and not repaired since, the newest first."""
    return Damage.objects.filter(mended_at__isnull=True)


def damage_of(things: Iterable[str]) -> QuerySet[Damage]:
    """The open damage among these things."""
    return open_damage().filter(thing__in=list(things))
