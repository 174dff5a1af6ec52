"""A volume that was read, and the facts of its origin."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from voxloop.child import Document
from voxloop.volume.geometry import Geometry
from voxloop.volume.pack.codec import Voxels

LOWEST_HU, HIGHEST_HU = -1024, 3071  # 12 bits, the range of CT scanners; values outside are clipped


class Origin(Document, frozen=True):
    """Original identifiers of a series and its technical facts; no name, date, institution or free text. Only passed
    from the converting process to the storing one, which first re-keys every identifier (`annotation.intake.rekeying`).
    `is_unnamed`: the files name no patient, and `subject` is the study's UID."""

    subject: str
    is_unnamed: bool
    study_uid: str
    series_uid: str
    modality: str
    description: str
    facts: dict[str, Any]
    source_hash: str


@dataclass(frozen=True)
class FoundVolume:
    """HU (int16, zyx) of a CT, or stored values (uint16, one slice) of an X-ray, on their grid."""

    voxels_zyx: Voxels
    geometry: Geometry
    origin: Origin


def hash_volume(voxels_zyx: Voxels, geometry: Geometry) -> str:
    """sha256 over voxels and grid (rounded to 1 µm), independent of how the scan was packed."""
    affine = [[round(value, 3) + 0.0 for value in row] for row in geometry.lps_from_ijk]
    digest = hashlib.sha256(json.dumps([list(geometry.shape_zyx), affine, str(voxels_zyx.dtype)]).encode())
    digest.update(np.ascontiguousarray(voxels_zyx).tobytes())
    return digest.hexdigest()
