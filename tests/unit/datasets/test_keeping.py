"""What the scrub finds of frozen lists and of exports in folders."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from annotation.datasets.exporters.manifest import manifest_hash
from annotation.datasets.keeping import _wrong_file, check_list
from annotation.datasets.models import Release
from voxloop.kernel.errors import Damaged
from voxloop.storage.objects import sha256_of


@pytest.fixture
def frozen(made: Path) -> Any:
    return json.loads((made / "manifest.json").read_text())["frozen"]


def test_a_frozen_list_is_held_by_its_hash(frozen: Any) -> None:
    check_list(Release(name="r1", manifest=frozen, manifest_hash=manifest_hash(frozen)))
    reordered = dict(reversed(list(frozen.items())))
    check_list(Release(name="r1", manifest=reordered, manifest_hash=manifest_hash(frozen)))


@pytest.mark.parametrize("spoil", ["split", "hash", "none", "text"])
def test_a_list_that_was_changed_is_told(frozen: Any, spoil: str) -> None:
    changed, known = copy.deepcopy(frozen), manifest_hash(frozen)
    if spoil == "split":
        changed["scans"][0]["split"] = "test"
    if spoil == "hash":
        known = known[:-1] + ("0" if known[-1] != "0" else "1")
    manifest = {"none": None, "text": "x"}.get(spoil, changed)
    with pytest.raises(Damaged) as found:
        check_list(Release(name="r1", manifest=manifest, manifest_hash=known))
    assert found.value.code == "release_damaged"
    assert found.value.thing.startswith("releases/")
    assert "r1" in found.value.detail


def test_an_export_is_looked_at_file_by_file(release: Path) -> None:
    seal = sha256_of(release / "SHA256SUMS")
    assert _wrong_file(release, seal) is None
    (release / "notes.txt").write_text("of somebody")  # `verify.py` names it; nothing of the release is damaged
    assert _wrong_file(release, seal) is None
    assert _wrong_file(release, "0" * 64) == "SHA256SUMS"
    name = "labels/VX-A-0001.nii.gz"
    raw = bytearray((release / name).read_bytes())
    raw[-1] ^= 1
    (release / name).write_bytes(raw)
    assert _wrong_file(release, seal) == name
    (release / name).unlink()
    assert _wrong_file(release, seal) == name
    (release / "SHA256SUMS").write_text("")
    assert _wrong_file(release, seal) == "SHA256SUMS"
