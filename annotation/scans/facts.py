"""Response types of a scan's volume: the index with the URLs of its parts (docs/formats.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Three = tuple[int, int, int]
Point = tuple[float, float, float, float]


@dataclass(frozen=True)
class VolumePackFacts:
    """One HTJ2K lossless codestream per slice: signed HU, or of a DX or CR one slice of uint16."""

    url: str
    bytes: int
    sha256: str
    codec: Literal["htj2k"]
    dtype: Literal["int16", "uint16"]
    slices: Sequence[tuple[int, int]]  # offset and length of each
    sums: str | None  # base64 of the first 16 bytes of each codestream's sha256; null until the pack is first read


@dataclass(frozen=True)
class VolumePreviewFacts:
    """uint8 voxels, each the mean of a `step_zyx` block; `HU = hu_lo + value × hu_step`.

    `htj2k`: concatenated lossy codestreams, one per slice, `lengths` bytes each. `gzip`: raw voxels."""

    url: str
    bytes: int
    shape_zyx: Three
    step_zyx: Three
    hu_lo: int
    hu_step: int
    codec: Literal["gzip", "htj2k"]
    lengths: Sequence[int]


@dataclass(frozen=True)
class VolumeLimitFacts:
    """The lung limit of the growing brush as a mask message, layer `limit`, 1 = inside."""

    url: str
    bytes: int
    background_hu: int


@dataclass(frozen=True)
class VolumeIndexFacts:
    """The index of a volume. `lps_from_ijk` is row-major; `seal` is the sha256 of all of it, without URLs."""

    version: int
    scan: UUID
    modality: str
    shape_zyx: Three
    spacing_mm_zyx: tuple[float, float, float]
    lps_from_ijk: tuple[Point, Point, Point, Point]
    pack: VolumePackFacts
    preview: VolumePreviewFacts
    limit: VolumeLimitFacts | None
    hu_range: tuple[int, int]
    seal: str
