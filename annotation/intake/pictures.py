"""X-rays as PNG or JPEG: a table `xrays.csv` beside the files says whose each is, its view, and its pixel spacing.

`file,pseudonym,view,spacing_mm`: the name of the file in the folder of the table, the patient's code, PA, AP, LATERAL,
LL or RL (may be empty), and the side of a pixel in mm. Only pixels of a picture are read, never the rest of its file.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt

from annotation.intake.clinical.sheet import Row, read_table
from annotation.intake.dicom.identity import check_patient_id, is_dummy
from annotation.intake.limits import Limits
from annotation.intake.sources import SourceFile
from annotation.intake.volumes import LEAST_VOXEL_MM, MOST_VOXEL_MM, FoundVolume, Origin, hash_volume
from voxloop.kernel.errors import Invalid
from voxloop.kernel.uids import derive_uid
from voxloop.volume.geometry import Geometry

TABLE = "xrays.csv"
SUFFIXES = (".png", ".jpg", ".jpeg")
COLUMNS = ("file", "pseudonym", "view", "spacing_mm")
VIEWS = ("", "PA", "AP", "LATERAL", "LL", "RL")
LEAST_SIDE, MOST_SIDE = 32, 8192
PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
# Start-of-frame markers that carry the size (ISO/IEC 10918-1 B.1.1.3): all but DHT, JPG and DAC.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class Listed:
    """A row of a table and the file that it names; None where there is none."""

    row: Row
    file: SourceFile | None


def is_table(file: SourceFile) -> bool:
    """By its name."""
    return file.name.lower() == TABLE


def list_pictures(table: SourceFile, files: Sequence[SourceFile]) -> list[Listed]:
    """The rows of a table. Raises Invalid (`bad_columns`, `bad_encoding`, `empty_sheet`, `bad_table`), TooLarge."""
    sheet = read_table(table.path)
    lacking = [name for name in COLUMNS if name not in sheet.columns]
    if lacking:
        raise Invalid(
            f"The table {TABLE} has no column {lacking[0]}; its columns are {', '.join(COLUMNS)}.", code="bad_table"
        )
    if sheet.ragged:
        raise Invalid(
            f"Line {sheet.ragged[0]} of {TABLE} has more or fewer cells than there are columns; repair it.",
            code="bad_table",
        )
    beside = {file.name: file for file in files if file.folder == table.folder}
    return [Listed(row, beside.get(row.cells["file"])) for row in sheet.rows]


def read_picture(listed: Listed, limits: Limits) -> FoundVolume:
    """One X-ray. Raises Invalid with a stable code and the line of the table."""
    cells, line = listed.row.cells, listed.row.line
    if listed.file is None:
        raise Invalid(f"Line {line} of {TABLE} names a file that is not beside it; send both.", code="no_such_file")
    pseudonym, view = cells["pseudonym"], cells["view"].upper()
    check_patient_id(pseudonym)
    if view not in VIEWS:
        raise Invalid(f"The view in line {line} of {TABLE} is none of {', '.join(VIEWS[1:])}.", code="bad_table")
    spacing_mm = _spacing(cells["spacing_mm"], line)
    stored = decode_picture(listed.file.path, limits)
    if int(stored.min()) == int(stored.max()):
        raise Invalid("Every pixel of the picture has the same value.", code="empty_volume")
    voxels_zyx = stored[None]
    geometry = Geometry.axial((1, *stored.shape), (1.0, spacing_mm, spacing_mm))
    digest = hash_volume(voxels_zyx, geometry)
    study_uid = derive_uid("study", pseudonym, digest)
    is_unnamed = is_dummy(pseudonym)
    return FoundVolume(
        voxels_zyx,
        geometry,
        Origin(
            subject=study_uid if is_unnamed else pseudonym,
            is_unnamed=is_unnamed,
            study_uid=study_uid,
            series_uid=derive_uid("series", pseudonym, digest),
            modality="DX",
            description=f"DX, {view}" if view else "DX",
            facts=_facts(view, study_uid),
            source_hash=digest,
        ),
    )


def decode_picture(path: Path, limits: Limits) -> npt.NDArray[np.uint16]:
    """Stored values, bright = dense, (rows, columns). The size that the file declares is checked before it is decoded.

    Raises Invalid (`bad_picture`, `bad_size`, `not_grey`)."""
    data = path.read_bytes()
    declared = _declared_size(data)
    if declared is None:
        raise Invalid("The file is neither PNG nor JPEG, or it is cut off; export it again.", code="bad_picture")
    if not (min(declared) >= LEAST_SIDE and max(declared) <= MOST_SIDE) or math.prod(declared) > limits.most_voxels:
        raise Invalid(
            f"The picture has {declared[0]} × {declared[1]} pixels; {LEAST_SIDE} to {MOST_SIDE} a side come in.",
            code="bad_size",
        )
    try:
        decoded: Any = imagecodecs.png_decode(data) if data.startswith(PNG) else imagecodecs.jpeg8_decode(data)
    except Exception as error:  # each codec raises its own
        raise Invalid("The picture is damaged; export it again.", code="bad_picture") from error
    if decoded.shape[:2] != declared or decoded.dtype not in (np.uint8, np.uint16):
        raise Invalid("The picture does not hold what it declares; export it again.", code="bad_picture")
    if decoded.ndim == 3:
        grey = decoded[..., 0]
        colours = decoded[..., 1:3] if decoded.shape[2] >= 3 else decoded[..., :1]
        if (colours != grey[..., None]).any():
            raise Invalid("The picture is in colour, not grey.", code="not_grey")
        decoded = grey
    return np.ascontiguousarray(decoded, dtype=np.uint16)


def _spacing(cell: str, line: int) -> float:
    try:
        found = float(cell) if cell.isascii() else math.nan
    except ValueError:
        found = math.nan
    if not LEAST_VOXEL_MM <= found <= MOST_VOXEL_MM:
        raise Invalid(
            f"Line {line} of {TABLE} has no pixel spacing between {LEAST_VOXEL_MM:g} and {MOST_VOXEL_MM:g} mm, so no "
            "length can be told; add it.",
            code="no_spacing",
        )
    return found


def _declared_size(data: bytes) -> tuple[int, int] | None:
    """Rows and columns by the header of a PNG (IHDR) or JPEG (SOFn)."""
    if data.startswith(PNG) and data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(height), int(width)
    if not data.startswith(JPEG):
        return None
    for marker, start in _segments(data):
        if marker in FRAMES and start + 7 <= len(data):
            height, width = struct.unpack(">HH", data[start + 3 : start + 7])
            return int(height), int(width)
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Marker and start (of its length) of each segment before the image."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        if data[at + 1] == 0xFF:  # fill byte
            at += 1
            continue
        yield data[at + 1], at + 2
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))


def _facts(view: str, study_uid: str) -> dict[str, Any]:
    return {
        "slices": 1,
        "slice_thickness_mm": None,
        "kernel": "",
        "manufacturer": "",
        "model": "",
        "contrast": None,
        "kvp": None,
        "view": view,
        "sop_class_uid": "",
        "frame_of_reference_uid": derive_uid("frame", study_uid),
        "sop_instance_uids": [],
        "source": "picture",
    }
