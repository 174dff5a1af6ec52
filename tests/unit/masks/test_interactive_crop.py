"""What an external segmentation server is sent: a crop around the prompts, and nothing that names a scan."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from annotation.masks.api import _ijk, _key
from annotation.masks.interactive import MOST_PROMPTS, MOST_VOXELS, REACH_MM, Prompts, _crop, _request, describe
from annotation.scans.models import Scan
from voxloop.kernel.errors import Conflict, Invalid, Refusal

SPACING = (2.5, 0.8, 0.8)  # 60 mm: 25 slices, 76 rows or columns


def scan_of(*shape_zyx: int, spacing: Any = SPACING) -> Scan:
    return Scan(code="VX-A-0001", shape_zyx=list(shape_zyx), spacing_mm_zyx=list(spacing))


def extent(box: Any) -> list[tuple[int, int]]:
    return [(part.start, part.stop) for part in box]


def test_a_crop_reaches_60_mm_around_the_prompts() -> None:
    assert REACH_MM == 60
    box = _crop(scan_of(300, 512, 512), Prompts([(250, 200, 100, True), (260, 210, 102, False)], None))
    assert extent(box) == [(75, 128), (124, 287), (174, 337)]


def test_a_crop_ends_at_the_scan() -> None:
    box = _crop(scan_of(300, 512, 512), Prompts([(0, 511, 299, True)], None))
    assert extent(box) == [(274, 300), (435, 512), (0, 77)]


def test_a_box_is_half_open() -> None:
    one = _crop(scan_of(300, 512, 512), Prompts([], [250, 200, 100, 251, 201, 101]))
    assert one == _crop(scan_of(300, 512, 512), Prompts([(250, 200, 100, True)], None))
    assert extent(_crop(scan_of(3, 4, 5), Prompts([], [0, 0, 0, 5, 4, 3]))) == [(0, 3), (0, 4), (0, 5)]


BAD: dict[str, Prompts] = {
    "nothing": Prompts([], None),
    "too many": Prompts([(1, 1, 1, True)] * (MOST_PROMPTS + 1), None),
    "an empty box": Prompts([], [5, 5, 5, 5, 6, 6]),
    "a box turned round": Prompts([], [5, 5, 5, 6, 6, 4]),
    "a box too large": Prompts([], [0, 0, 0, 57, 48, 40]),
    "before the first column": Prompts([(-1, 0, 0, True)], None),
    "behind the last column": Prompts([(56, 0, 0, True)], None),
    "behind the last row": Prompts([(0, 48, 0, True)], None),
    "behind the last slice": Prompts([(0, 0, 40, True)], None),
    "one good, one bad": Prompts([(5, 5, 5, True), (0, 0, 99, False)], None),
}


@pytest.mark.parametrize("prompts", BAD.values(), ids=BAD.keys())
def test_prompts_that_cannot_be_asked_about(prompts: Prompts) -> None:
    with pytest.raises(Invalid) as refusal:
        _crop(scan_of(40, 48, 56), prompts)
    assert refusal.value.code == "bad_prompts"


def test_prompts_too_far_apart() -> None:
    apart = Prompts([(0, 0, 0, True), (511, 511, 599, True)], None)
    with pytest.raises(Invalid, match="too far apart"):
        _crop(scan_of(600, 512, 512), apart)
    assert MOST_VOXELS < 600 * 512 * 512
    assert extent(_crop(scan_of(100, 512, 512), Prompts(apart.points[:1], None)))[0] == (0, 26)


def test_a_scan_without_a_volume_is_not_asked_about() -> None:
    with pytest.raises(Conflict) as refusal:
        _crop(Scan(), Prompts([(0, 0, 0, True)], None))
    assert refusal.value.code == "not_editable"


def test_the_request_holds_the_crop_and_no_identifier() -> None:
    scan = scan_of(40, 48, 56)
    prompts = Prompts([(20, 10, 5, True), (21, 11, 6, False)], [18, 9, 4, 25, 14, 8])
    box = (slice(2, 10), slice(3, 30), slice(4, 40))
    voxels = np.arange(8 * 27 * 36, dtype="<i2").reshape(8, 27, 36)
    body = _request(scan, box, voxels, prompts)
    (length,) = struct.unpack("<I", body[:4])
    header = json.loads(body[4 : 4 + length])
    assert header == {
        "version": 1,
        "shape_zyx": [8, 27, 36],
        "spacing_mm_zyx": list(SPACING),
        "points": [{"zyx": [3, 7, 16], "belongs": True}, {"zyx": [4, 8, 17], "belongs": False}],
        "box_zyx": [[2, 6], [6, 11], [14, 21]],
    }
    assert np.array_equal(np.frombuffer(body[4 + length :], "<i2").reshape(8, 27, 36), voxels)
    assert b"VX-A" not in body
    without = _request(scan, box, voxels, Prompts(prompts.points, None))
    assert json.loads(without[4 : 4 + struct.unpack("<I", without[:4])[0]])["box_zyx"] is None


def test_the_tool_is_offered_where_a_server_is_set_up(settings: Any) -> None:
    settings.INTERACTIVE_URL = ""
    assert describe() is None
    settings.INTERACTIVE_URL, settings.INTERACTIVE_NAME, settings.INTERACTIVE_LICENCE = "http://x", "SAM", "Apache-2.0"
    facts = describe()
    assert facts is not None
    assert (facts.name, facts.licence) == ("SAM", "Apache-2.0")


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "a,b,c", "-1,2,3", "1.5,2,3", "٣,2,3", "1,2,1234567", "1, 2,3"])
def test_a_voxel_that_is_none(text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        _ijk(text)
    assert refusal.value.code == "bad_voxel"


def test_a_voxel_is_three_numbers() -> None:
    assert _ijk("0,12,345678") == [0, 12, 345678]


@pytest.mark.parametrize("text", ["x", "1234", "{", "0190a", '"'])
def test_an_idempotency_key_that_is_none(text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        _key(text)
    assert refusal.value.code == "bad_idempotency_key"


def test_an_idempotency_key_is_a_uuid_in_any_form() -> None:
    found = {_key(text) for text in ("0190c0de" + "0" * 24, ' "0190c0de-0000-0000-0000-000000000000" ')}
    assert len(found) == 1
    assert _key(None) is None
    assert _key("") is None
