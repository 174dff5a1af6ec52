"""What intake derives from a scan's voxels: pack, preview, lung limit, and their index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from voxloop.volume.errors import FormatError
from voxloop.volume.geometry import Geometry
from voxloop.volume.growing import lung_limit
from voxloop.volume.labelmap import encode_message, split_labelmap
from voxloop.volume.pack.codec import PackEntry, Voxels, encode_pack
from voxloop.volume.pack.preview import PreviewEntry, encode_preview

VERSION = 1
LIMIT_LAYER = "limit"


@dataclass(frozen=True)
class LimitEntry:
    """The index entry of the lung limit: bytes of its mask message, background of the brush in HU."""

    bytes: int
    background_hu: int


@dataclass(frozen=True)
class VolumeIndex:
    """The volume index of `docs/formats.md` without what only the server adds (id of the scan, URLs)."""

    modality: str
    geometry: Geometry
    pack: PackEntry
    preview: PreviewEntry
    limit: LimitEntry | None
    hu_range: tuple[int, int]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> VolumeIndex:
        """Raises `FormatError` for another version and for anything incomplete or contradictory."""
        try:
            if document["version"] != VERSION:
                raise FormatError("bad_pack", "The volume index has another version.")
            limit = document["limit"]
            index = cls(
                str(document["modality"]),
                Geometry.from_json(document),
                PackEntry.from_json(document["pack"]),
                PreviewEntry.from_json(document["preview"]),
                limit and LimitEntry(int(limit["bytes"]), int(limit["background_hu"])),
                (int(document["hu_range"][0]), int(document["hu_range"][1])),
            )
        except FormatError:
            raise
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise FormatError("bad_pack", "The volume index is incomplete.") from error
        if document.get("seal", index.seal()) != index.seal():
            raise FormatError("bad_pack", "The volume index was changed after it was made.")
        if len(index.pack.slices) != index.geometry.shape_zyx[0]:
            raise FormatError("bad_pack", "The volume pack has another number of slices than its shape.")
        return index

    def seal(self) -> str:
        """sha256 (hex) over all fields of the index: nobody would notice a changed spacing or offset."""
        return hashlib.sha256(json.dumps(_plain(self._facts()), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """As stored beside the pack."""
        return {**self._facts(), "seal": self.seal()}

    def _facts(self) -> dict[str, Any]:
        limit = self.limit
        return {
            "version": VERSION,
            "modality": self.modality,
            **self.geometry.to_json(),
            "pack": self.pack.to_json(),
            "preview": self.preview.to_json(),
            "limit": limit and {"bytes": limit.bytes, "background_hu": limit.background_hu},
            "hu_range": list(self.hu_range),
        }


def _plain(value: Any) -> Any:
    """Normalise numbers as jsonb does: -0.0 becomes 0, and 1.0 equals 1."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return float(value) + 0.0 if isinstance(value, int | float) else value


@dataclass(frozen=True)
class PackedVolume:
    """The bytes that a storage keeps, and their index."""

    index: VolumeIndex
    pack: bytes
    preview: bytes
    limit: bytes | None  # a mask message of layer `limit`, 1 = inside


def pack_volume(
    voxels_zyx: Voxels,
    geometry: Geometry,
    modality: str,
    *,
    threads: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> PackedVolume:
    """Make pack, preview and (for a CT with lungs) limit of a volume. `on_progress` is called with a share of 0 … 1."""
    if voxels_zyx.shape != geometry.shape_zyx:
        raise ValueError(f"voxels {voxels_zyx.shape} on a grid of {geometry.shape_zyx}")
    tell = on_progress or (lambda share: None)
    depth = voxels_zyx.shape[0]
    pack, pack_entry = encode_pack(voxels_zyx, threads=threads, on_slice=lambda done: tell(0.6 * done / depth))
    preview, preview_entry = encode_preview(voxels_zyx, geometry.spacing_mm_zyx)
    tell(0.7)
    limit: bytes | None = None
    limit_entry: LimitEntry | None = None
    if modality == "CT" and voxels_zyx.dtype == np.int16:
        inside, background_hu = lung_limit(cast(npt.NDArray[np.int16], voxels_zyx), geometry.spacing_mm_zyx)
        if inside is not None:
            limit = encode_message(LIMIT_LAYER, geometry.shape_zyx, split_labelmap(inside.view(np.uint8)))
            limit_entry = LimitEntry(len(limit), background_hu)
    tell(1.0)
    hu_range = (int(voxels_zyx.min()), int(voxels_zyx.max()))
    index = VolumeIndex(modality, geometry, pack_entry, preview_entry, limit_entry, hu_range)
    return PackedVolume(index, pack, preview, limit)
