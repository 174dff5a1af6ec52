"""Verified reads of a scan's stored volume: index, pieces of the pack, codestreams, voxels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import transaction

from annotation.scans.models import Scan
from voxloop.accounts.actors import SystemActor
from voxloop.keeping.selectors import damage_of
from voxloop.keeping.services import note_whole
from voxloop.kernel.errors import Conflict, Damaged
from voxloop.storage.reading import CALL, Piece, read_object, read_pieces
from voxloop.storage.store import open_store
from voxloop.volume.errors import FormatError
from voxloop.volume.pack import VolumeIndex, decode_pack, decode_preview, sum_slices
from voxloop.volume.pack.codec import Voxels


@dataclass(frozen=True)
class ReadyVolume:
    """A scan row that has a volume; typed access to columns that are nullable in general."""

    scan: Scan

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Voxels: slices, rows, columns."""
        z, y, x = _there(self.scan.shape_zyx)
        return z, y, x

    @property
    def spacing_mm_zyx(self) -> tuple[float, float, float]:
        """Spacing in mm."""
        z, y, x = _there(self.scan.spacing_mm_zyx)
        return z, y, x

    @property
    def index(self) -> Mapping[str, Any]:
        """The index as it is stored, unchecked (`read_index` checks)."""
        return cast(Mapping[str, Any], _there(self.scan.index))


def ready_volume(scan: Scan) -> ReadyVolume:
    """The volume of a scan that has one. Raises Conflict (`not_editable`) for a scan without."""
    _there(scan.shape_zyx)
    return ReadyVolume(scan)


def _there(column: Any) -> Any:
    if column is None:
        raise Conflict("This scan has no volume yet.", code="not_editable")
    return column


def read_index(scan: Scan) -> VolumeIndex:
    """The index of a scan's volume, after checking it against its seal and the row. Raises Damaged
    (`index_damaged`)."""
    try:
        index = VolumeIndex.from_json(scan.index or {})
    except (FormatError, AttributeError, TypeError, ValueError, OverflowError) as error:
        raise index_damaged(scan) from error
    pack = index.pack
    geometry = index.geometry.to_json()
    fits = (
        scan.pack_key.rpartition("/")[2] == pack.sha256
        and geometry == {name: getattr(scan, name) for name in geometry}
        and bool(index.limit) == bool(scan.limit_key)
    )
    if not fits:
        raise index_damaged(scan)
    return index


def index_damaged(scan: Scan) -> Damaged:
    """The refusal for an index that is inconsistent or does not match its seal, its scan or its pack."""
    return Damaged(
        f"The index of the volume of {scan.code} in the database does not match the stored volume. {CALL}",
        thing=f"indexes/{scan.pk}",
        code="index_damaged",
    )


def pieces_of(index: VolumeIndex) -> list[Piece] | None:
    """The slices of a pack with their sums; None for an older index without sums."""
    pack = index.pack
    if pack.sums is None:
        return None
    return [
        Piece(offset, offset + length, pack.sum_of(number) or b"")
        for number, (offset, length) in enumerate(pack.slices)
    ]


def fill_sums(scan: Scan) -> VolumeIndex:
    """The index of a scan with the sums of its slices. Missing sums (older scans) are computed from the verified pack
    and stored. Raises Damaged."""
    index = read_index(scan)
    if index.pack.sums is not None:
        return index
    data = read_object(open_store(settings.STORAGE_URL), scan.pack_key)
    if len(data) != index.pack.bytes:
        raise index_damaged(scan)
    filled = replace(index, pack=replace(index.pack, sums=sum_slices(data, index.pack.slices)))
    with transaction.atomic():
        row = Scan.objects.select_for_update().only("pack_key", "index").get(pk=scan.pk)
        if row.pack_key == scan.pack_key:
            row.index = filled.to_json()
            row.save(update_fields=["index"])
    scan.index = filled.to_json()
    return filled


def read_slices(scan: Scan, first: int, end: int) -> tuple[VolumeIndex, list[bytes]]:
    """The index and the codestreams of slices `first` to `end` (half-open). Raises Damaged."""
    index = fill_sums(scan)
    extents = index.pack.slices[first:end]
    start = extents[0][0]
    blocks = read_pieces(
        open_store(settings.STORAGE_URL), scan.pack_key, pieces_of(index) or [], start, sum(extents[-1])
    )
    data = b"".join(blocks)
    return index, [data[at - start : at - start + length] for at, length in extents]


def stream_slices(scan: Scan) -> tuple[VolumeIndex, Iterator[bytes]]:
    """The index and the codestreams of all slices, one after the other. All are checked before the first is given out,
    and again when it is; the memory needed is small. Raises Damaged."""
    index = fill_sums(scan)
    blocks = read_pieces(open_store(settings.STORAGE_URL), scan.pack_key, pieces_of(index) or [], 0, index.pack.bytes)

    def cut() -> Iterator[bytes]:
        held, start = b"", 0
        for offset, length in index.pack.slices:
            while start + len(held) < offset + length:
                held, start = held[offset - start :] + next(blocks), offset
            yield held[offset - start : offset - start + length]

    return index, cut()


def read_preview(scan: Scan) -> npt.NDArray[np.float32]:
    """HU of a scan's small first look (zyx, on the grid of its index). Raises Damaged."""
    index = read_index(scan)
    data = read_object(open_store(settings.STORAGE_URL), scan.preview_key)
    try:
        return decode_preview(data, index.preview)
    except FormatError as error:  # the bytes were verified
        raise index_damaged(scan) from error


def read_voxels(scan: Scan) -> Voxels:
    """All voxels of a scan (int16 HU or uint16, zyx). Raises Damaged."""
    index = read_index(scan)
    data = read_object(open_store(settings.STORAGE_URL), scan.pack_key)
    try:
        return decode_pack(data, index.pack, index.geometry.shape_zyx)
    except FormatError as error:  # the bytes were verified
        raise index_damaged(scan) from error


def blame(scan: Scan, found: Damaged) -> Damaged:
    """The refusal for slices that do not match their sums: the pack is damaged, or the index of an intact pack."""
    if found.is_missing or found.thing != scan.pack_key:
        return found
    try:
        read_object(open_store(settings.STORAGE_URL), scan.pack_key)
    except Damaged:
        return found
    return index_damaged(scan)


def check_volume(scan: Scan) -> None:
    """Raise Damaged while anything of a scan's volume is damaged. Recorded damage is checked again; if it was repaired
    meanwhile, the record is cleared."""
    readers = {f"indexes/{scan.pk}": lambda: read_index(scan)} | {
        key: partial(read_object, open_store(settings.STORAGE_URL), key) for key in part_keys(scan).values()
    }
    for mark in damage_of(readers):
        readers[mark.thing]()
        note_whole([mark.thing], actor=SystemActor.SYSTEM)


def part_keys(scan: Scan) -> dict[str, str]:
    """The object keys of a scan, by part; missing parts are left out."""
    keys = {"pack": scan.pack_key, "preview": scan.preview_key, "limit": scan.limit_key}
    return {part: key for part, key in keys.items() if key}
