"""States of a release. The content of a frozen one never changes."""

from django.db.models import TextChoices

from voxloop.kernel.states import StateTable


class ReleaseState(TextChoices):
    DRAFT = "draft"
    FROZEN = "frozen"
    PUBLISHED = "published"
    YANKED = "yanked"


RELEASE = StateTable.of(
    "release",
    ReleaseState.DRAFT,
    {
        ReleaseState.DRAFT: {ReleaseState.FROZEN},
        ReleaseState.FROZEN: {ReleaseState.PUBLISHED, ReleaseState.YANKED},
        ReleaseState.PUBLISHED: {ReleaseState.YANKED},
    },
    needs_reason={ReleaseState.YANKED},
)

# Fixed content, may be exported.
EXPORTABLE = frozenset({ReleaseState.FROZEN, ReleaseState.PUBLISHED})
