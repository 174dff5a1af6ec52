"""Put damaged or missing parts of masks back, out of the database dumps of back-ups."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from annotation.masks.models import MaskChunk
from annotation.masks.store import mend_chunk, open_chunk
from annotation.upkeep.manifest import BACKUPS, DUMP, list_backups
from annotation.upkeep.tools import NICER, find_tool, server_major
from voxloop.kernel.errors import Conflict, NotFound
from voxloop.storage.directory import open_directory
from voxloop.volume.labelmap import count_chunk

PREFIX = "chunks"
TABLE = "masks_maskchunk"
# COPY writes bytes as `\\x…`: the backslash of `\x…` is doubled.
BYTES = b"\\\\x"


def put_back_chunks(address: str, things: Sequence[str]) -> list[str]:
    """Put chunks back out of the newest back-up that has them whole; answer which.

    No seal is checked: a chunk is named by the hash of its voxels, so that only the right bytes are taken. Raises
    Conflict `tools_missing`.
    """
    target, tool = open_directory(address), find_tool("pg_restore", at_least=server_major())
    wanted = {bytes.fromhex(thing.removeprefix(f"{PREFIX}/")): thing for thing in things}
    put_back = []
    for backup in reversed([each.name for each in list_backups(target) if each.is_whole]):
        if not wanted:
            break
        with tempfile.TemporaryDirectory(prefix="voxloop-") as folder:
            dump = Path(folder) / DUMP
            with suppress(NotFound, Conflict):  # a damaged dump: an older one may do
                target.fetch(f"{BACKUPS}/{backup}/{DUMP}", dump)
                for row in _chunks_in(tool, dump, wanted):
                    mend_chunk(row)
                    put_back.append(wanted.pop(bytes(row.sha256)))
    return put_back


def _chunks_in(tool: Path, dump: Path, wanted: Mapping[bytes, str]) -> Iterator[MaskChunk]:
    """The wanted chunks of a dump that are whole there."""
    for fields in _rows_in(tool, dump, TABLE):
        name = _bytes_of(fields["sha256"])
        if name not in wanted:
            continue
        data = _bytes_of(fields["data"])
        payload = open_chunk(name, data)
        if payload is not None:
            yield MaskChunk(sha256=name, data=data, counts=count_chunk(payload)[1])


def _rows_in(tool: Path, dump: Path, table: str) -> Iterator[dict[str, bytes]]:
    """The rows of one table of a dump as COPY writes them, one after the other: the table may be larger than memory."""
    command = [
        shutil.which("nice") or "nice",
        *("-n", str(NICER), str(tool), "--data-only", f"--table={table}", "--file=-", str(dump)),
    ]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as process:  # noqa: S603
            columns: list[str] = []
            for line in process.stdout or ():
                if line.startswith(b"COPY "):
                    columns = line[line.index(b"(") + 1 : line.index(b")")].decode().split(", ")
                elif line == b"\\.\n":
                    columns = []
                elif columns:
                    yield dict(zip(columns, line.rstrip(b"\n").split(b"\t"), strict=True))
        if process.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").strip() or "it ended without a word"
            raise Conflict(f"Reading the dump of the back-up did not work: {words[:300]}", code="tool_failed")


def _bytes_of(field: bytes) -> bytes:
    return bytes.fromhex(field.removeprefix(BYTES).decode())
