"""A volume that was read, and the facts of its origin."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.intake.limits import OVERRULE, Limits
from voxloop.child import Document
from voxloop.kernel.errors import Invalid
from voxloop.volume.geometry import Geometry
from voxloop.volume.pack.codec import Voxels

LEAST_VOXEL_MM, MOST_VOXEL_MM = 0.05, 20.0
# Around and in a body lies air, about -1,000 HU. PET, MR and pictures stored from 0 have nothing of the kind.
AIR_HU, LEAST_AIR = -300, 0.001
LOWEST_HU, HIGHEST_HU = -(1 << 15), (1 << 15) - 1  # as stored; metal on an extended scale reaches 30,710 HU
PADDING_HU = -1024  # what a file declares as padding, and NaN of a NIfTI: where nothing was measured


class Origin(Document, frozen=True):
    """Original identifiers of a series and its technical facts; no name, institution or free text. Only passed from the
    converting process to the storing one, which first re-keys every identifier and the date of the study
    (`annotation.intake.rekeying`). `is_unnamed`: the files name no patient, and `subject` is the study's UID."""

    subject: str
    is_unnamed: bool
    study_uid: str
    series_uid: str
    modality: str
    description: str
    facts: dict[str, Any]
    source_hash: str
    study_date: str = ""  # YYYY-MM-DD, as the files tell it; empty where they do not


def check_ct(voxels_zyx: Voxels, geometry: Geometry, limits: Limits) -> list[str]:
    """Check that a CT's grid is possible and its values can be HU. Returns what a person has overruled (`not_hu`).
    Raises Invalid (`impossible_voxels`, `empty_volume`, `not_hu`)."""
    spacing = geometry.spacing_mm_zyx
    if not all(LEAST_VOXEL_MM <= mm <= MOST_VOXEL_MM for mm in spacing):
        told = "×".join(f"{mm:g}" for mm in reversed(spacing))
        raise Invalid(
            f"Its voxels would be {told} mm large, which no CT has: the unit or the spacing in its header is wrong.",
            code="impossible_voxels",
        )
    if int(voxels_zyx.min()) == int(voxels_zyx.max()):
        raise Invalid("Every voxel of the volume has the same value.", code="empty_volume")
    if np.count_nonzero(voxels_zyx < AIR_HU) >= LEAST_AIR * voxels_zyx.size:
        return []
    if limits.is_overruled:
        return ["not_hu"]
    raise Invalid(
        f"Its values, {int(voxels_zyx.min())} to {int(voxels_zyx.max())}, hold no air and are not those of a CT in HU: "
        f"perhaps another modality, or grey values of a picture. {OVERRULE}",
        code="not_hu",
    )


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
