"""The computed zip: readable by others, the same from every offset, and whole beyond 4 GiB and 65,535 files."""

import random
import zipfile
from pathlib import Path

import pytest

from annotation.datasets.archive import Archive, Entry, Extent, crc32_of

LARGE = (4 << 30) + 7


def entry(folder: Path, name: str, content: bytes) -> Entry:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Entry(f"r1/{name}", len(content), crc32_of(path), path)


@pytest.fixture
def entries(tmp_path: Path) -> list[Entry]:
    rng = random.Random(4)
    files = {"README.md": b"words", "images/a.nii.gz": rng.randbytes(70_001), "empty": b"", "labels/ü.nii.gz": b"x" * 9}
    return [entry(tmp_path, name, content) for name, content in files.items()]


def test_zipfile_and_unzip_read_it(entries: list[Entry], tmp_path: Path) -> None:
    archive = Archive(entries)
    made = tmp_path / "r1.zip"
    made.write_bytes(archive.read())
    assert made.stat().st_size == archive.bytes
    with zipfile.ZipFile(made) as found:
        assert found.testzip() is None
        assert {one.filename: found.read(one) for one in found.infolist()} == {
            one.name: one.path.read_bytes() for one in entries
        }


def test_every_extent_is_a_part_of_the_whole(entries: list[Entry]) -> None:
    whole = Archive(entries).read()
    rng = random.Random(5)
    for _ in range(200):
        start, end = sorted(rng.sample(range(len(whole) + 1), 2))
        with Extent(Archive(entries), start, end) as part:
            assert part.seek(0, 2) == end - start
            part.seek(0)
            blocks = []
            while block := part.read(rng.randrange(1, 30_000)):
                blocks.append(block)
            assert b"".join(blocks) == whole[start:end]


def test_files_beyond_4_gib_are_listed(tmp_path: Path, entries: list[Entry]) -> None:
    path = tmp_path / "large"
    with path.open("wb") as handle:
        handle.truncate(LARGE)  # a sparse file: no bytes on disk
    large = Entry("r1/large", LARGE, 0, path)
    with zipfile.ZipFile(Archive([large, *entries])) as found:
        assert found.getinfo("r1/large").file_size == LARGE
        assert found.read("r1/images/a.nii.gz") == entries[1].path.read_bytes()
        assert found.getinfo("r1/images/a.nii.gz").header_offset > 4 << 30


def test_more_files_than_16_bits_count(tmp_path: Path) -> None:
    one = entry(tmp_path, "one", b"x")
    many = [Entry(f"r1/{n}", one.bytes, one.crc32, one.path) for n in range(70_000)]
    with zipfile.ZipFile(Archive(many)) as found:
        assert len(found.infolist()) == len(many)
        assert found.read("r1/69999") == b"x"


def test_a_file_that_became_shorter_breaks_it_off(entries: list[Entry]) -> None:
    entries[1].path.write_bytes(b"short")
    with pytest.raises(OSError, match=r"shorter"):
        Archive(entries).read()
