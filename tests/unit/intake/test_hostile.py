"""Hostile files: bombs, traversal, truncation, noise. Each is refused with a code; none writes outside, none hangs."""

import io
import shutil
import struct
import tracemalloc
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from annotation.demonstration.dicom import SCANNERS
from annotation.intake.dicom.pixels import declared_size, decode_stored
from annotation.intake.dicom.read import read_slice
from annotation.intake.dicom.volume import find_series, read_series
from annotation.intake.limits import Limits
from annotation.intake.sources import SourceFile, list_files
from tests.unit.intake.series import LIMITS, change, convert, make_series
from voxloop.kernel.errors import Invalid, Refusal

SMALL = Limits(most_files=20, most_file_bytes=4 << 20, most_unpacked_bytes=8 << 20)


def pack(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def refusal_of(source: Path, scratch: Path, limits: Limits = SMALL) -> str:
    with pytest.raises(Refusal) as refusal:
        list_files(source, scratch, limits)
    return refusal.value.code


def refuse_within(path: Path, most_bytes: int) -> None:
    """The file is not an image, or its series is refused, within a memory limit."""
    tracemalloc.start()
    try:
        finds = find_series([SourceFile(path, "", path.name)], LIMITS)
        for slices in finds.series.values():
            with pytest.raises(Refusal):
                read_series(slices, LIMITS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(finds.series) + finds.not_dicom + finds.unreadable == 1
    assert peak < most_bytes


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "inner" / "scratch"
    folder.mkdir(parents=True)
    return folder


def test_a_series_in_a_zip(tmp_path: Path, scratch: Path) -> None:
    paths = make_series(tmp_path / "series")
    source = pack(tmp_path / "s.zip", {f"a/{path.name}": path.read_bytes() for path in paths})
    assert len(convert(source, scratch)) == 1


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "C:/evil"])
def test_zip_slip_cve_2026_47682(tmp_path: Path, scratch: Path, name: str) -> None:
    source = pack(tmp_path / "s.zip", {"fine.dcm": b"x", name: b"evil"})
    assert refusal_of(source, scratch) == "archive_path"
    assert not list(tmp_path.rglob("*evil*"))


def test_link_in_zip(tmp_path: Path, scratch: Path) -> None:
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert refusal_of(tmp_path / "s.zip", scratch) == "archive_path"


def test_an_encrypted_zip_is_asked_for_without_its_password(tmp_path: Path, scratch: Path) -> None:
    data = bytearray(pack(tmp_path / "s.zip", {"a": b"x"}).read_bytes())
    data[6] |= 1  # flags of the file, and of its entry in the directory
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "s.zip").write_bytes(data)
    assert refusal_of(tmp_path / "s.zip", scratch) == "archive_encrypted"


def test_zip_bombs(tmp_path: Path, scratch: Path) -> None:
    assert refusal_of(pack(tmp_path / "1.zip", {"a": bytes(5 << 20)}), scratch) == "file_too_large"
    assert refusal_of(pack(tmp_path / "2.zip", {"a": bytes(5 << 20)}), scratch) == "file_too_large"
    stored = {str(n): bytes(3 << 20) for n in range(3)}
    assert refusal_of(pack(tmp_path / "3.zip", stored, zipfile.ZIP_STORED), scratch) == "archive_too_large"
    assert refusal_of(pack(tmp_path / "4.zip", {str(n): b"" for n in range(21)}), scratch) == "too_many_files"
    assert not list(scratch.iterdir())


def test_zip_that_lies_about_sizes(tmp_path: Path, scratch: Path) -> None:
    data = bytearray(pack(tmp_path / "s.zip", {"a": bytes(2 << 20)}).read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 100)
    (tmp_path / "s.zip").write_bytes(data)
    assert refusal_of(tmp_path / "s.zip", scratch) == "archive_broken"


def test_nested_zip_is_only_a_file(tmp_path: Path, scratch: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x", b"x")
    files = list_files(pack(tmp_path / "s.zip", {"inner.zip": inner.getvalue()}), scratch, SMALL)
    assert find_series(files, SMALL).not_dicom == 1


def test_truncated_zip(tmp_path: Path, scratch: Path) -> None:
    source = pack(tmp_path / "s.zip", {"a": bytes(range(256)) * 400}, zipfile.ZIP_STORED)
    data = bytearray(source.read_bytes())
    data[200:300] = bytes(100)
    source.write_bytes(data)
    assert refusal_of(source, scratch) == "archive_broken"


def test_a_zip_for_which_there_is_no_room(tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(tmp_path)._replace(free=257 << 20)
    monkeypatch.setattr("annotation.intake.sources.shutil.disk_usage", lambda path: free)
    assert len(list_files(pack(tmp_path / "1.zip", {"a": bytes(1 << 20)}), scratch, SMALL)) == 1
    assert refusal_of(pack(tmp_path / "2.zip", {"a": bytes(3 << 19)}), scratch) == "no_room"


def test_too_many_files_in_a_folder(tmp_path: Path, scratch: Path) -> None:
    for number in range(21):
        (tmp_path / f"{number}.dcm").touch()
    assert refusal_of(tmp_path, scratch) == "too_many_files"


def test_deflated_bomb(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(bytes(64 << 20)) + packer.flush()
    syntax = b"1.2.840.10008.1.2.1.99"
    element = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(syntax)) + syntax
    path = tmp_path / "bomb.dcm"
    path.write_bytes(bytes(128) + b"DICM" + element + body)
    with pytest.raises(Invalid) as refusal:
        read_slice(path, "", LIMITS)
    assert refusal.value.code == "deflated_too_large"


def test_declared_sizes_cve_2026_5437_allocate_nothing(tmp_path: Path) -> None:
    """An element with a declared length of 4 GiB takes no more memory than the file's size."""
    path = tmp_path / "huge.dcm"
    element = b"\x08\x00\x60\x00OB\x00\x00" + struct.pack("<I", 0xFFFFFFF0) + b"CT"
    syntax = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"
    path.write_bytes(bytes(128) + b"DICM" + syntax + element)
    refuse_within(path, most_bytes=16 << 20)


def test_codestream_of_another_size_never_reaches_the_codec(tmp_path: Path) -> None:
    huge = b"\xff\x4f\xff\x51" + struct.pack(">HHIIIIIIII", 41, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0)
    assert declared_size(huge) == (60000, 60000)
    assert declared_size(b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB", 11, 16, 50000, 40000, 1) + bytes(4)) == (
        50000,
        40000,
    )
    assert declared_size(b"\xff\xd8" + b"\xff" * 40) is None


def test_preamble_cve_2019_11687_is_never_looked_at(tmp_path: Path) -> None:
    paths = make_series(tmp_path)
    for path in paths:
        path.write_bytes(b"MZ" + bytes(range(126)) + path.read_bytes()[128:])
    assert len(convert(tmp_path)) == 1


def test_deeply_nested_sequences(tmp_path: Path) -> None:
    start = b"\x08\x00\x15\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    syntax = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"
    path = tmp_path / "deep.dcm"
    path.write_bytes(bytes(128) + b"DICM" + syntax + start * 20_000)
    refuse_within(path, most_bytes=16 << 20)


def test_a_damaged_codestream_is_refused(tmp_path: Path) -> None:
    def damage(number: int, dataset: object) -> None:
        data = bytearray(dataset.PixelData)  # type: ignore[attr-defined]  # a DICOM keyword
        data[60:] = bytes(len(data) - 60)
        dataset.PixelData = bytes(data)  # type: ignore[attr-defined]  # a DICOM keyword

    change(make_series(tmp_path, scanner=SCANNERS["c"]), damage)
    with pytest.raises(Invalid) as refusal:
        convert(tmp_path)
    assert refusal.value.code in {"bad_pixels", "truncated_pixels", "empty_volume"}


@pytest.mark.parametrize("is_lossless", [True, False])
def test_a_jpeg_without_its_end_is_refused(is_lossless: bool) -> None:
    """libjpeg makes up what is missing; grey pixels nobody measured are no slice."""
    header = Dataset()
    header.Rows = header.Columns = 32
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 8, 8, 7, 0
    values = np.random.default_rng(5).integers(0, 256, (32, 32), np.uint8)
    whole = bytes(imagecodecs.jpeg8_encode(values, level=90, lossless=is_lossless))
    syntax = "1.2.840.10008.1.2.4.57" if is_lossless else "1.2.840.10008.1.2.4.50"
    decoded = decode_stored(encapsulate([whole]), header, syntax)
    assert np.abs(decoded - values).max() <= (0 if is_lossless else 128)
    for length in (len(whole) // 2, len(whole) - 4):
        with pytest.raises(Invalid) as refusal:
            decode_stored(encapsulate([whole[:length]]), header, syntax)
        assert refusal.value.code == "truncated_pixels"


def attempt(data: bytes, path: Path) -> None:
    """Any bytes give a volume, a refusal, or count as not DICOM; never another exception."""
    path.write_bytes(data)
    finds = find_series([SourceFile(path, "", path.name)], LIMITS)
    for slices in finds.series.values():
        with suppress(Refusal):
            read_series(slices, Limits(least_slices=1))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), magic=st.booleans())
def test_random_bytes(tmp_path: Path, data: bytes, magic: bool) -> None:
    attempt(bytes(128) + b"DICM" + data if magic else data, tmp_path / "noise")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 3000), at=st.lists(st.tuples(st.integers(130, 1500), st.integers(0, 255)), max_size=6))
def test_truncated_and_flipped(tmp_path: Path, cut: int, at: list[tuple[int, int]]) -> None:
    folder = tmp_path / "whole"
    whole = bytearray((folder / "0001.dcm" if folder.exists() else make_series(folder)[0]).read_bytes())
    for offset, value in at:
        whole[min(offset, len(whole) - 1)] = value
    attempt(bytes(whole[: len(whole) - cut]), tmp_path / "flipped")
