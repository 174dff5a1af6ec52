"""Client of an external interactive segmentation server. Off unless an operator configures one. Sends a crop of voxels
round the prompts, its spacing and the prompts: no identifier. The address is from the settings, never from a user. The
contract is in docs/formats.md."""

import http.client
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from django.conf import settings

from annotation.masks.facts import InteractiveFacts
from annotation.masks.selectors import schema_of
from annotation.scans.models import Scan
from annotation.scans.volumes import read_index, read_slices, ready_volume
from annotation.work.models import Assignment
from annotation.work.services import check_not_lost
from annotation.work.states import AssignmentState
from annotation.work.withdrawing import check_not_withdrawn
from voxloop.accounts.models import User
from voxloop.kernel.errors import Conflict, Forbidden, Invalid
from voxloop.volume.labelmap import encode_message, split_labelmap
from voxloop.volume.pack import decode_slice

REACH_MM = 60.0
MOST_VOXELS = 32 << 20
MOST_PROMPTS = 40
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Prompts:
    """Voxels `(i, j, k)` with whether they belong, in their order, and a half-open box `x0 y0 z0 x1 y1 z1`."""

    points: Sequence[tuple[int, int, int, bool]]
    box: Sequence[int] | None


def describe() -> InteractiveFacts | None:
    """Name and licence of the server, for the viewer; None when it is off."""
    if not settings.INTERACTIVE_URL:
        return None
    return InteractiveFacts(settings.INTERACTIVE_NAME, settings.INTERACTIVE_LICENCE)


def propose(*, assignment: Assignment, actor: User, layer: str, segment: int, prompts: Prompts) -> bytes:
    """A mask message with what the server proposes as `segment`. Changes nothing.

    Raises Forbidden (`not_yours`), Conflict (`interactive_off`, `interactive_unreachable`, `interactive_refused`,
    `interactive_bad_answer`, `not_editable`), Invalid (`bad_prompts`).
    """
    if assignment.person_id != actor.pk:
        raise Forbidden("This scan is given to somebody else.", code="not_yours")
    scan = assignment.scan
    check_not_withdrawn(scan)
    if assignment.state != AssignmentState.OPEN:
        check_not_lost(assignment, actor)
        raise Conflict(f"This scan is {assignment.state}; it can no longer be drawn on.", code="not_editable")
    if not settings.INTERACTIVE_URL:
        raise Conflict("No interactive segmentation server is set up here.", code="interactive_off")
    if segment not in schema_of(assignment).layer(layer).ids:
        raise Invalid(f"Layer {layer} has no segment {segment}.", code="bad_prompts")
    box = _crop(scan, prompts)
    voxels = _read(scan, box)
    mask = _ask(_request(scan, box, voxels, prompts), voxels.shape)
    shape_zyx = ready_volume(scan).shape_zyx
    labels = np.zeros(shape_zyx, np.uint8)
    labels[box] = np.where(mask, np.uint8(segment), np.uint8(0))
    return encode_message(layer, shape_zyx, split_labelmap(labels))


def _crop(scan: Scan, prompts: Prompts) -> Box:
    """The part of the volume around the prompts. Raises Invalid for none, too many, or some outside."""
    volume = ready_volume(scan)
    shape = volume.shape_zyx
    corners = [(k, j, i) for i, j, k, _ in prompts.points]
    if prompts.box is not None:
        x0, y0, z0, x1, y1, z1 = prompts.box
        corners += [(z0, y0, x0), (z1 - 1, y1 - 1, x1 - 1)]
        if x1 <= x0 or y1 <= y0 or z1 <= z0:
            raise Invalid("The box holds nothing.", code="bad_prompts")
    if not corners or len(prompts.points) > MOST_PROMPTS:
        raise Invalid(f"Give a box or 1 to {MOST_PROMPTS} points.", code="bad_prompts")
    if any(not 0 <= at < n for corner in corners for at, n in zip(corner, shape, strict=True)):
        raise Invalid("A prompt lies outside of the scan.", code="bad_prompts")
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    reach = [int(REACH_MM / mm) + 1 for mm in volume.spacing_mm_zyx]
    z, y, x = (
        slice(max(0, int(a) - r), min(n, int(b) + r + 1)) for a, b, r, n in zip(low, high, reach, shape, strict=True)
    )
    if (z.stop - z.start) * (y.stop - y.start) * (x.stop - x.start) > MOST_VOXELS:
        raise Invalid("The prompts lie too far apart.", code="bad_prompts")
    return z, y, x


def _read(scan: Scan, box: Box) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The voxels of a crop; only its slices are fetched and decoded."""
    if read_index(scan).pack.dtype != "int16":
        raise Conflict("Only CT can be asked about.", code="not_a_ct")
    index, streams = read_slices(scan, box[0].start, box[0].stop)
    shape = index.geometry.shape_zyx
    slices = [decode_slice(stream, index.pack, (shape[1], shape[2])) for stream in streams]
    return np.ascontiguousarray(np.stack(slices)[:, box[1], box[2]], "<i2")


def _request(scan: Scan, box: Box, voxels: np.ndarray[Any, Any], prompts: Prompts) -> bytes:
    origin = [part.start for part in box]
    points = [
        {"zyx": [k - origin[0], j - origin[1], i - origin[2]], "belongs": belongs}
        for i, j, k, belongs in prompts.points
    ]
    sides = None
    if prompts.box is not None:
        x0, y0, z0, x1, y1, z1 = prompts.box
        sides = [[a - o, b - o] for a, b, o in zip((z0, y0, x0), (z1, y1, x1), origin, strict=True)]
    header = json.dumps(
        {
            "version": 1,
            "shape_zyx": voxels.shape,
            "spacing_mm_zyx": scan.spacing_mm_zyx,
            "points": points,
            "box_zyx": sides,
        }
    ).encode()
    return struct.pack("<I", len(header)) + header + voxels.tobytes()


def _ask(body: bytes, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """One POST to the configured server; follows no redirect and reads no more than the size of a mask."""
    parts = urlsplit(settings.INTERACTIVE_URL)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=settings.INTERACTIVE_SECONDS)
    size = int(np.prod(shape))
    try:
        connection.request(
            "POST", f"{parts.path.rstrip('/')}/segment", body, {"Content-Type": "application/octet-stream"}
        )
        answer = connection.getresponse()
        data = answer.read(size + 1)
    except (OSError, http.client.HTTPException) as error:
        raise Conflict(
            "The interactive segmentation server does not answer; the tool works without it.",
            code="interactive_unreachable",
        ) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise Conflict(
            f"The interactive segmentation server refused ({answer.status}); the tool works without it.",
            code="interactive_refused",
        )
    if len(data) != size:
        raise Conflict(
            "The interactive segmentation server returned something other than a mask.", code="interactive_bad_answer"
        )
    return np.frombuffer(data, np.uint8).reshape(shape) > 0
