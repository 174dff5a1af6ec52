"""A scan's stored volume, read with every byte checked: index, pieces of the pack, codestreams, voxels."""

from dataclasses import replace
from functools import partial

from django.conf import settings
from django.db import transaction

from annotation.scans.models import Scan
from voxloop.keeping.selectors import damage_of
from voxloop.keeping.services import note_whole
from voxloop.kernel.errors import Damaged
from voxloop.storage.reading import CALL, Piece, read_object, read_pieces
from voxloop.storage.store import open_store
from voxloop.volume.errors import FormatError
from voxloop.volume.pack import VolumeIndex, decode_pack, sum_slices
from voxloop.volume.pack.codec import Voxels


def read_index(scan: Scan) -> VolumeIndex:
    """The index of a scan's volume, when it is whole and fits what the row says. Raises Damaged (`index_damaged`)."""
    try:
        index = VolumeIndex.from_json(scan.index)
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
    """The refusal for an index that contradicts itself, its seal, its scan or its pack."""
    return Damaged(
        f"What the database says of the volume of {scan.code} does not fit the stored volume. {CALL}",
        thing=f"indexes/{scan.pk}",
        code="index_damaged",
    )


def pieces_of(index: VolumeIndex) -> list[Piece] | None:
    """The slices of a pack with their sums; None for an index that was made before slices had sums."""
    pack = index.pack
    if pack.sums is None:
        return None
    return [
        Piece(offset, offset + length, pack.sum_of(place) or b"") for place, (offset, length) in enumerate(pack.slices)
    ]


def fill_sums(scan: Scan) -> VolumeIndex:
    """The index of a scan, with the sums of its slices; where it had none they are made of the checked pack and kept.

    Scans taken in before slices had sums get them when they are first read. Raises Damaged.
    """
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
    places = index.pack.slices[first:end]
    start = places[0][0]
    blocks = read_pieces(
        open_store(settings.STORAGE_URL), scan.pack_key, pieces_of(index) or [], start, sum(places[-1])
    )
    data = b"".join(blocks)
    return index, [data[at - start : at - start + length] for at, length in places]


def read_voxels(scan: Scan) -> Voxels:
    """All voxels of a scan (int16 HU or uint16, zyx). Raises Damaged."""
    index = read_index(scan)
    data = read_object(open_store(settings.STORAGE_URL), scan.pack_key)
    try:
        return decode_pack(data, index.pack, index.geometry.shape_zyx)
    except FormatError as error:  # the bytes are those that were stored
        raise index_damaged(scan) from error


def blame(scan: Scan, found: Damaged) -> Damaged:
    """Of slices that do not fit their sums: the pack's fault, or that of an index beside a whole pack."""
    if found.is_missing or found.thing != scan.pack_key:
        return found
    try:
        read_object(open_store(settings.STORAGE_URL), scan.pack_key)
    except Damaged:
        return found
    return index_damaged(scan)


def check_volume(scan: Scan) -> None:
    """Refuse while anything of a scan's volume is damaged. Raises Damaged.

    What was found damaged is read again: where it was restored meanwhile, the mark ends here.
    """
    readers = {f"indexes/{scan.pk}": lambda: read_index(scan)} | {
        key: partial(read_object, open_store(settings.STORAGE_URL), key) for key in part_keys(scan).values()
    }
    for mark in damage_of(readers):
        readers[mark.thing]()
        note_whole([mark.thing], actor="system")


def part_keys(scan: Scan) -> dict[str, str]:
    """The keys of what is stored of a scan, by part; empty parts are left out."""
    keys = {"pack": scan.pack_key, "preview": scan.preview_key, "limit": scan.limit_key}
    return {part: key for part, key in keys.items() if key}
