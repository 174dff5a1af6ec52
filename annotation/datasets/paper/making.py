"""The documents of a frozen release, for whoever may see it."""

from typing import Any
from uuid import UUID

from annotation.datasets.keeping import check_list
from annotation.datasets.models import Release
from annotation.datasets.paper.document import Block, write_document
from annotation.datasets.paper.forms import MEDIA_TYPES, render_blocks
from annotation.datasets.selectors import visible_releases
from annotation.datasets.states import ReleaseState
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict, NotFound


def make_blocks(release_id: UUID, actor: User) -> list[Block]:
    """The document as blocks. Raises NotFound, Conflict (`not_frozen`), Damaged (`release_damaged`)."""
    release = _find(release_id, actor)
    return write_document(release.manifest or {}, release.manifest_hash)


def make_file(release_id: UUID, actor: User, form: str) -> tuple[bytes, str]:
    """The document as a file of one of `MEDIA_TYPES`, and its media type. Raises as `make_blocks`."""
    release = _find(release_id, actor)
    frozen: dict[str, Any] = release.manifest or {}
    blocks = write_document(frozen, release.manifest_hash)
    return render_blocks(blocks, frozen, form), MEDIA_TYPES[form]


def _find(release_id: UUID, actor: User) -> Release:
    release = visible_releases(actor).defer(None).filter(pk=release_id).first()
    if release is None:
        raise NotFound
    if release.state == ReleaseState.DRAFT:
        raise Conflict(f"{release.name} is a draft; freeze it, then its documents can be written.", code="not_frozen")
    check_list(release)
    return release
