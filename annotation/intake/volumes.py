"""A volume that was found and read, and what is kept of where it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from voxloop.volume.geometry import Geometry
from voxloop.volume.pack.codec import Voxels

LOWEST_HU, HIGHEST_HU = -1024, 3071  # 12 bits: what CT scanners can tell apart; everything outside is clipped


@dataclass(frozen=True)
class Origin:
    """The identity of a series as its files say it, and its technical facts. No name, date, place or free text.

    It lives between the converting process and the one that stores: there every identifier is re-keyed
    (`annotation.intake.rekeying`) before anything else is done with it. `is_unnamed`: the files name no patient, and
    `subject` is the study's UID.
    """

    subject: str
    is_unnamed: bool
    study_uid: str
    series_uid: str
    modality: str
    description: str
    facts: Mapping[str, Any]
    source_hash: str

    def to_json(self) -> dict[str, Any]:
        """As a report carries it."""
        return asdict(self)


@dataclass(frozen=True)
class FoundVolume:
    """HU (int16, zyx) of a CT, or stored values (uint16, one slice) of an X-ray, on their grid."""

    voxels_zyx: Voxels
    geometry: Geometry
    origin: Origin


def hash_volume(voxels_zyx: Voxels, geometry: Geometry) -> str:
    """sha256 over voxels and grid (rounded to 1 µm): the same scan sent twice has one hash, however it was packed."""
    affine = [[round(value, 3) + 0.0 for value in row] for row in geometry.lps_from_ijk]
    digest = hashlib.sha256(json.dumps([list(geometry.shape_zyx), affine, str(voxels_zyx.dtype)]).encode())
    digest.update(memoryview(np.ascontiguousarray(voxels_zyx)).cast("B"))
    return digest.hexdigest()
