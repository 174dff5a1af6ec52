"""The files that are to be sent: of a folder, a zip or a DICOMDIR, each read when it is its turn. Nothing of a zip is
unpacked to disk, where a killed process would leave it."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from annotation.intake.deidentify.cleaning import quiet
from annotation.intake.deidentify.elements import items_of, text_of
from annotation.intake.dicom.read import read_whole
from annotation.intake.limits import MIB, Limits
from annotation.intake.naming import Sent, name_sent
from annotation.intake.sources import SourceFile
from voxloop.kernel.errors import Invalid, TooLarge

DIRECTORY = "DICOMDIR"
RECORDS, FILE_ID = 0x00041220, 0x00041500


@dataclass(frozen=True)
class Member:
    """One file: where it is called by harmless names, and how it is read."""

    sent: Sent
    read: Callable[[], bytes]


@contextmanager
def open_source(source: Path, limits: Limits) -> Iterator[list[Member]]:
    """The files of a folder (links are not followed), a zip, a DICOMDIR, or the one file.

    Raises Invalid or TooLarge: `no_such_file`, `no_files`, `archive_broken`, `too_many_files`, `file_too_large`,
    `directory_broken`, `files_missing`."""
    if not source.exists():
        raise Invalid(f"There is no file or folder {source}.", code="no_such_file")
    if source.is_file() and zipfile.is_zipfile(source):
        try:
            with zipfile.ZipFile(source) as archive:
                yield _named(_members_of(archive, limits), limits)
        except zipfile.BadZipFile as error:
            raise Invalid("The zip is broken; pack it again.", code="archive_broken") from error
    elif source.is_dir():
        yield _named(_files_of(source, limits), limits)
    elif source.name.upper() == DIRECTORY:
        yield _named([_of_disk(path, source.parent, limits) for path in _listed_in(source, limits)], limits)
    else:
        yield _named([_of_disk(source, source.parent, limits)], limits)


Found = tuple[SourceFile, Callable[[], bytes]]


def _named(found: list[Found], limits: Limits) -> list[Member]:
    if not found:
        raise Invalid("There is no file in it; name the folder that holds the series.", code="no_files")
    if len(found) > limits.most_files:
        raise TooLarge(
            f"There are more than {limits.most_files} files; send fewer studies at once.", code="too_many_files"
        )
    names = name_sent([file for file, _ in found])
    return [Member(names[file.path], read) for file, read in found]


def _files_of(root: Path, limits: Limits) -> list[Found]:
    found = []
    for folder, names, files in os.walk(root):
        names.sort()
        for name in sorted(files):
            path = Path(folder) / name
            if name.upper() != DIRECTORY and stat.S_ISREG(path.lstat().st_mode):
                found.append(_of_disk(path, root, limits))
    return found


def _of_disk(path: Path, root: Path, limits: Limits) -> Found:
    _check_size(path.stat().st_size, limits)
    return SourceFile(path, str(path.parent.relative_to(root)), path.name), path.read_bytes


def _members_of(archive: zipfile.ZipFile, limits: Limits) -> list[Found]:
    found = []
    for number, member in enumerate(archive.infolist()):
        sent = PurePosixPath(member.filename.replace("\\", "/"))
        if member.is_dir() or sent.name.upper() == DIRECTORY:
            continue
        if member.flag_bits & 0x1:
            raise Invalid("The zip is encrypted; unpack it and send the folder.", code="archive_broken")
        _check_size(member.file_size, limits)
        found.append((SourceFile(Path(str(number)), str(sent.parent), sent.name), _reader(archive, member)))
    return found


def _reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with archive.open(member) as packed:
                data = packed.read(member.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise Invalid("A file in the zip is broken; pack it again.", code="archive_broken") from error
        return data

    return read


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.most_file_bytes:
        most = limits.most_file_bytes // MIB
        raise TooLarge(f"A file holds more than {most} MiB, as no slice does; leave it out.", code="file_too_large")


def _listed_in(directory: Path, limits: Limits) -> list[Path]:
    """The files that a DICOMDIR lists (PS3.3 F), each below its folder."""
    with quiet():
        try:
            header, _ = read_whole(directory.read_bytes(), limits)
            records = items_of(header[RECORDS])
            words = [text_of(record[FILE_ID]) for record in records if FILE_ID in record]
        except (Invalid, KeyError, ValueError, TypeError, AttributeError) as error:
            raise Invalid(
                "The DICOMDIR cannot be read; name the folder instead of it.", code="directory_broken"
            ) from error
    root = directory.parent.resolve()
    paths = [root.joinpath(*text.split("\\")) for text in words if text]
    inside = [path for path in paths if ".." not in path.parts and path.resolve().is_relative_to(root)]
    there = [path for path in inside if path.is_file()]
    if len(there) < len(paths):
        raise Invalid(
            f"{len(paths) - len(there)} of {len(paths)} files that the DICOMDIR lists are not there; copy the medium "
            "again, or name the folder instead.",
            code="files_missing",
        )
    return [Path(directory.parent, path.relative_to(root)) for path in there]
