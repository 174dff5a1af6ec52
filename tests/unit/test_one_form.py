"""Single implementations: canonical JSON, UIDs, amounts."""

import hashlib
import json
import uuid

import numpy as np
import pytest

from annotation.datasets.verify import canonical, content_hash
from annotation.masks.store import hash_of, key_of
from voxloop.kernel.canonical import canonical_hash, canonical_json
from voxloop.kernel.uids import derive_uid, uid_of_digest
from voxloop.volume.amounts import amount_of, unit_of, voxel_ml
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import chunk_name, decode_chunk, split_labelmap

DOCUMENTS = [
    {},
    {"b": 1, "a": [1.5, None, True]},
    {"words": "Größe 2 × 3 cm²", "π": {"z": [], "a": "\n"}},
    [1e-9, -0.0],
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_release_is_verified_by_the_form_it_was_hashed_in(document: object) -> None:
    """`verify.py` has its own implementation of canonical JSON: the same bytes."""
    assert canonical(document) == canonical_json(document)
    assert canonical_hash(document) == hashlib.sha256(canonical(document)).hexdigest()


def test_the_order_of_keys_changes_no_hash_and_seals_are_ascii() -> None:
    assert canonical_hash({"a": 1, "b": 2}) == canonical_hash({"b": 2, "a": 1})
    assert canonical_json({"ö": "µ"}, ascii_only=True) == b'{"\\u00f6":"\\u00b5"}'
    assert json.loads(canonical_json({"ö": "µ"}, ascii_only=True)) == {"ö": "µ"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json([float("nan")])


@pytest.mark.parametrize("shape_zyx", [(1, 1, 1), (32, 32, 32), (33, 32, 1), (40, 70, 33)])
def test_a_release_proves_the_hash_that_was_approved(shape_zyx: tuple[int, int, int]) -> None:
    """`verify.py` has its own implementation of the content hash too."""
    labels = np.random.default_rng(1).choice(np.array([0, 0, 0, 1, 7, 255], np.uint8), shape_zyx)
    labels[0, 0, 0] = 7
    empty = np.zeros(shape_zyx, np.uint8)
    for voxels in (labels, empty):
        chunks = {key_of(at): chunk_name(decode_chunk(payload)) for at, payload in split_labelmap(voxels).items()}
        assert content_hash(voxels) == hash_of(chunks, shape_zyx)
    assert content_hash(labels) != content_hash(empty)
    assert content_hash(empty) != content_hash(np.zeros((*shape_zyx[:2], shape_zyx[2] + 1), np.uint8))


def test_derived_uids_stay_what_they_were() -> None:
    """They are stored: a scan sent again must get the same ones."""
    number = int.from_bytes(hashlib.sha256(b"study\0abc").digest()[:16], "big")
    assert derive_uid("study", "abc") == f"2.25.{number}"
    assert derive_uid("study", "abc") != derive_uid("studya", "bc")


@pytest.mark.parametrize("version", [4, 8])
def test_a_uid_with_a_version_is_a_uuid_of_it(version: int) -> None:
    uid = uid_of_digest(bytes(range(32)), version=version)
    found = uuid.UUID(int=int(uid.removeprefix("2.25.")))
    assert (found.version, found.variant) == (version, uuid.RFC_4122)
    assert len(uid) <= 64


def test_a_volume_is_told_in_ml_and_one_plane_in_cm2() -> None:
    spacing = (5.0, 0.5, 0.4)
    assert voxel_ml(spacing) == pytest.approx(0.001)
    for depth, unit, one in ((40, "mL", 0.001), (1, "cm²", 0.002)):
        grid = Geometry.axial((depth, 10, 10), spacing)
        assert (unit_of(grid.shape_zyx), grid.unit) == (unit, unit)
        assert amount_of(500, grid.shape_zyx, spacing) == grid.amount(500) == pytest.approx(500 * one)
