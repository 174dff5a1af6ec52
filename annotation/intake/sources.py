"""Files of an import: from a folder, a zip, or a single file. Independent of DICOM."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from annotation.intake.limits import MIB, Limits
from voxloop.kernel.errors import Invalid, TooLarge

BLOCK = MIB
KEPT_FREE_BYTES = 256 * MIB  # others write to the same disk


@dataclass(frozen=True)
class SourceFile:
    """A regular file on disk, with its original folder (which groups files when series UIDs are empty) and name."""

    path: Path
    folder: str
    name: str


def list_files(source: Path, scratch: Path, limits: Limits) -> list[SourceFile]:
    """The regular files of a folder (links are not followed), of a zip (unpacked into `scratch`), or the file itself.

    Raises Invalid or TooLarge with a stable code. Nothing is written outside `scratch`: members are stored under
    numbers, never under their own names. Nested zips are not unpacked."""
    if source.is_dir():
        return _walk(source, limits)
    if zipfile.is_zipfile(source):
        return _unzip(source, scratch, limits)
    if source.suffix == ".zip":
        raise Invalid("The file is named .zip but is not a zip; pack the series into one.", code="archive_broken")
    return [_checked(source, "", limits)]


def _walk(root: Path, limits: Limits) -> list[SourceFile]:
    found: list[SourceFile] = []
    for folder, names, files in os.walk(root):
        names.sort()
        for name in sorted(files):
            path = Path(folder) / name
            if stat.S_ISREG(path.lstat().st_mode):
                found.append(_checked(path, str(Path(folder).relative_to(root)), limits))
            _check_count(len(found), limits)
    return found


def _checked(path: Path, folder: str, limits: Limits) -> SourceFile:
    size = path.stat().st_size
    if size > limits.most_file_bytes:
        raise TooLarge(
            f"A file holds {size // MIB} MiB; one file of an import may hold {limits.most_file_bytes // MIB} MiB.",
            code="file_too_large",
        )
    return SourceFile(path, folder, path.name)


def _check_count(count: int, limits: Limits) -> None:
    if count > limits.most_files:
        raise TooLarge(f"There are more than {limits.most_files} files; import fewer at once.", code="too_many_files")


def _unzip(source: Path, scratch: Path, limits: Limits) -> list[SourceFile]:
    found: list[SourceFile] = []
    unpacked = 0
    try:
        with zipfile.ZipFile(source) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check_count(len(members), limits)
            for number, member in enumerate(members, start=1):
                _check_member(member, f"File {number} of the {len(members)} in the zip", limits)
            declared = sum(member.file_size for member in members)
            if declared > limits.most_unpacked_bytes:
                raise TooLarge(
                    f"The zip unpacks to {declared // MIB} MiB; {limits.most_unpacked_bytes // MIB} MiB are allowed.",
                    code="archive_too_large",
                )
            free = shutil.disk_usage(scratch).free
            if declared > free - KEPT_FREE_BYTES:
                raise TooLarge(
                    f"The zip unpacks to {declared // MIB} MiB, for which there is no room on this server: "
                    "send less at once, or tell who runs it.",
                    code="no_room",
                )
            for number, member in enumerate(members):
                target = scratch / f"{number:06d}"
                with archive.open(member) as packed, target.open("xb") as handle:
                    while block := packed.read(BLOCK):
                        unpacked += len(block)
                        if unpacked > declared:
                            raise Invalid("The zip holds more than it declares.", code="archive_broken")
                        handle.write(block)
                sent = PurePosixPath(member.filename.replace("\\", "/"))
                found.append(SourceFile(target, str(sent.parent), sent.name))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Invalid("The zip is broken or packed in an unknown way; pack it again.", code="archive_broken") from error
    return found


def _check_member(member: zipfile.ZipInfo, called: str, limits: Limits) -> None:
    """`called` is not its own name, which could be a patient's."""
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or ":" in name.split("/")[0] or "\0" in name:
        raise Invalid(f"{called} is named outside its own folder; pack it again.", code="archive_path")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Invalid(f"{called} is a link; pack the files themselves.", code="archive_path")
    if member.flag_bits & 0x1:
        raise Invalid("The zip is encrypted; send it without a password.", code="archive_encrypted")
    if member.file_size > limits.most_file_bytes:
        raise TooLarge(
            f"{called} holds {member.file_size // MIB} MiB; {limits.most_file_bytes // MIB} MiB are allowed. "
            "Leave it out, or send its series in parts.",
            code="file_too_large",
        )
