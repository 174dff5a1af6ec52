"""What of an export leaves through the page and the API: one zip for a folder of the server, links for a bucket."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from shlex import quote
from uuid import UUID

from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from rest_framework.request import Request

from annotation.datasets.archive import Archive, Entry, Extent
from annotation.datasets.models import Export
from annotation.datasets.parts import suffix_of
from annotation.datasets.permissions import require_data_manager
from annotation.datasets.selectors import visible_exports
from annotation.datasets.services import folder_of, folder_of_export
from annotation.datasets.states import EXPORTABLE
from annotation.datasets.verify import SUMS
from voxloop.accounts.models import User
from voxloop.audit.services import record
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Damaged, NotFound
from voxloop.storage.bucket import S3Store
from voxloop.storage.objects import sha256_of
from voxloop.storage.serving import serve_made
from voxloop.storage.store import open_store

LINK_HOURS = 12


@dataclass(frozen=True)
class Link:
    """One file of a release in a bucket: its path in the release, its length in bytes, and where anybody reads it."""

    path: str
    bytes: int
    url: str


@dataclass(frozen=True)
class Links:
    """Every file of a release in a bucket, and a line of `aws` for those who have credentials of their own."""

    name: str
    files: Sequence[Link]
    expires_at: datetime
    aws: str

    @property
    def curl_config(self) -> str:
        """The links as a configuration of curl, which makes the release's folder where it runs."""
        files = (f'url = "{file.url}"\noutput = "{self.name}/{file.path}"\n' for file in self.files)
        return f"# curl --config {self.name}.curl\ncreate-dirs\nfail\nretry = 3\n" + "".join(files)


def find_export(export_id: UUID, actor: User) -> Export:
    """A complete export that this person may download. Raises NotFound, Forbidden, or Conflict: `not_frozen`,
    `export_incomplete`, `export_replaced`, `export_old`."""
    export = visible_exports(actor).defer(None).filter(pk=export_id).first()
    if export is None:
        raise NotFound
    require_data_manager(actor, export.release.campaign)
    if export.release.state not in EXPORTABLE:
        raise Conflict(f"This release is {export.release.state}; it is not downloaded any more.", code="not_frozen")
    if not export.seal:
        raise Conflict(
            "This export is not complete; wait for it, or export the release again.", code="export_incomplete"
        )
    later = Export.objects.filter(
        release=export.release_id, destination=export.destination, created_at__gt=export.created_at
    ).exclude(seal__in=["", export.seal])
    if any(part == export.part for part in later.values_list("part", flat=True)):
        raise Conflict(
            "A later export with other formats took the place of this one; download that one.", code="export_replaced"
        )
    if export.files is None:
        raise Conflict("An older version made this export; export the release again to download it.", code="export_old")
    return export


def open_archive(export: Export) -> Archive:
    """The zip of an export in a folder of this server. Raises Conflict: `export_in_bucket`, `export_not_here` when the
    folder is not on this machine; Damaged (`export_damaged`) when a file is missing or is not what was exported."""
    if not is_in_folder(export):
        raise Conflict("This export is in a bucket; download it by its links.", code="export_in_bucket")
    name = folder_of_export(export)
    folder = folder_of(export.destination) / name
    if not (folder / SUMS).is_file():
        raise Conflict(
            "The files of this export are not on this server any more; export the release again.",
            code="export_not_here",
        )
    if sha256_of(folder / SUMS) != export.seal:
        raise _damaged(export, SUMS)
    entries = [Entry(f"{name}/{path}", size, crc, folder / path) for path, size, crc in export.files or []]
    for entry in entries:
        if _size_of(entry.path) != entry.bytes:
            raise _damaged(export, entry.path.relative_to(folder).as_posix())
    return Archive(entries)


def serve_export(request: HttpRequest | Request, export: Export, actor: User) -> HttpResponse | FileResponse:
    """The zip of an export, or the byte range of it that the request asks for. Raises what `open_archive` raises."""
    archive = open_archive(export)
    return serve_made(
        request,
        lambda start, end: cut_archive(archive, export, actor, start, end),
        archive.bytes,
        etag=f'"{export.seal}"',
        content_type="application/zip",
        filename=f"{folder_of_export(export)}.zip",
    )


def cut_archive(archive: Archive, export: Export, actor: User, start: int, end: int) -> Extent:
    """A part of the zip for this person, recorded."""
    with transaction.atomic():
        record(
            actor=actor,
            action="release.downloaded",
            target=export.release,
            new={"export": str(export.pk), "from": start, "to": end, "of": archive.bytes},
        )
    return Extent(archive, start, end)


def make_links(export: Export, actor: User) -> Links:
    """Links to every file of an export in a bucket, recorded. Raises Conflict (`export_on_server`, `export_not_here`),
    Damaged (`export_damaged`) and StorageAway."""
    store = None if is_in_folder(export) else open_store(export.destination)
    if not isinstance(store, S3Store):
        raise Conflict("This export is on the server; download it as one file.", code="export_on_server")
    name = folder_of_export(export)
    try:
        sums = store.get(f"{name}/{SUMS}")
    except NotFound:
        raise Conflict(
            "The files of this export are not in the bucket any more; export the release again.", code="export_not_here"
        ) from None
    if sha256(sums).hexdigest() != export.seal:
        raise _damaged(export, SUMS)
    until = now() + timedelta(hours=LINK_HOURS)
    seconds = LINK_HOURS * 3600
    files = [Link(path, size, store.link(f"{name}/{path}", seconds)) for path, size, _ in export.files or []]
    with transaction.atomic():
        record(
            actor=actor,
            action="release.links_made",
            target=export.release,
            new={"export": str(export.pk), "files": len(files), "until": until.isoformat()},
        )
    return Links(name, files, until, aws_command(export))


def aws_command(export: Export) -> str:
    """The command that copies an export out of its bucket, for those with credentials of their own; "" for a folder."""
    store = None if is_in_folder(export) else open_store(export.destination)
    if not isinstance(store, S3Store):
        return ""
    name = folder_of_export(export)
    at = f" --endpoint-url {quote(store.public)}" if store.public else ""
    return f"aws s3 cp --recursive {quote(store.address(name))} {name}{at}"


def replaced_among(exports: Sequence[Export]) -> set[UUID]:
    """Which of a release's exports, the newest first, lie no longer at their destination: a later one with other
    formats took the place."""
    there: dict[tuple[str, str], str] = {}
    for export in exports:
        if export.seal:
            there.setdefault((export.destination, suffix_of(export.part)), export.seal)
    return {
        export.pk
        for export in exports
        if export.seal and there[export.destination, suffix_of(export.part)] != export.seal
    }


def is_in_folder(export: Export) -> bool:
    """Whether an export is in a folder of the server, not in a bucket."""
    return export.destination.startswith("file://")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _damaged(export: Export, path: str) -> Damaged:
    return Damaged(
        f"{path} of this export is missing or damaged; export the release again.",
        thing=f"exports/{export.pk}",
        code="export_damaged",
    )
