"""A file system that forgets what was not synced, like a disk in a power cut.

`python -m tests.forgetful LIVE KEPT AT` mounts LIVE at AT. Everything read and written goes to LIVE. KEPT holds what a
disk would have: the content of each file at its last fsync (or at the mount), and the names in each folder at its last
fsync. `after_power_cut(LIVE, KEPT, TO)` builds what would be found after the power cut. A file's fsync also keeps its
name, as ext4 and XFS do. A rename is kept only by a sync of the folder. Needs libfuse and /dev/fuse."""

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mfusepy

CALLS = (
    "getattr",
    "readdir",
    "readlink",
    "open",
    "create",
    "read",
    "write",
    "truncate",
    "fsync",
    "fsyncdir",
    "unlink",
    "rename",
    "mkdir",
    "mknod",
    "rmdir",
    "symlink",
    "link",
    "chmod",
    "chown",
    "utimens",
)
NAMES, FILES, HELD = "names.json", "files", "held"


class Forgetful(mfusepy.Operations):
    """Forwards everything to `live`, and keeps a copy of what was synced."""

    use_ns = True

    def __init__(self, live: Path, kept: Path) -> None:
        self.live, self.kept = live, kept
        self.files, self.held = kept / FILES, kept / HELD
        for folder in (kept, self.files, self.held):
            folder.mkdir(exist_ok=True)
        self.names: dict[int, dict[str, int]] = {}  # inode of a folder -> names and inodes that are on the disk
        self.pending: dict[int, list[tuple[int, bytes | None]]] = {}  # inode -> writes; None: cut to that length
        for directory, folders, files in os.walk(live):
            self.names[os.lstat(directory).st_ino] = {
                name: os.lstat(os.path.join(directory, name)).st_ino for name in [*folders, *files]
            }

    def path_of(self, path: str) -> str:
        return str(self.live) + path

    # On the first change of a file, save its content on the disk.
    def _note(self, inode: int, live: str | int, offset: int, data: bytes | None) -> None:
        known = self.files / str(inode)
        if inode not in self.pending:
            self.pending[inode] = []
            if not known.exists() and self._is_on_disk(inode):
                shutil.copyfile(live if isinstance(live, str) else f"/proc/self/fd/{live}", known)
        self.pending[inode].append((offset, data))

    def _is_on_disk(self, inode: int) -> bool:
        return any(inode in names.values() for names in self.names.values())

    def _keep(self, inode: int, path: str) -> None:
        """An fsync of a file: its content, and its name in its folder."""
        writes = self.pending.get(inode)
        if writes is None:
            return  # not written since the mount: all of it is on the disk
        known = self.files / str(inode)
        with open(known, "r+b" if known.exists() else "w+b") as handle:
            for offset, data in writes:
                if data is None:
                    handle.truncate(offset)
                else:
                    handle.seek(offset)
                    handle.write(data)
        self.pending[inode] = []
        parent, _, name = self.path_of(path).rpartition("/")
        try:
            if os.lstat(self.path_of(path)).st_ino == inode:
                self.names.setdefault(os.lstat(parent).st_ino, {})[name] = inode
        except FileNotFoundError:
            return

    def _hold(self, path: str) -> None:
        """Before a name is removed: its inode must not be reused while the disk still has it."""
        entry = os.lstat(self.path_of(path))
        known = self.held / str(entry.st_ino)
        if not os.path.isdir(self.path_of(path)) and not known.exists():
            os.link(self.path_of(path), known, follow_symlinks=False)

    def write_names(self) -> None:
        """Write the names for `after_power_cut`."""
        root = os.lstat(self.live).st_ino
        (self.kept / NAMES).write_text(json.dumps({"root": root, "names": self.names}))

    # The calls of the kernel.
    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        entry = os.lstat(self.path_of(path))
        found = {
            name: getattr(entry, name) for name in ("st_mode", "st_uid", "st_gid", "st_nlink", "st_size", "st_ino")
        }
        return found | {f"st_{name}time": getattr(entry, f"st_{name}time_ns") for name in "acm"}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(self.path_of(path))]

    def readlink(self, path: str) -> str:
        return str(os.readlink(self.path_of(path)))

    def open(self, path: str, flags: int) -> int:
        # Always opened readable: written data is read again at a sync.
        if flags & os.O_TRUNC:
            self.truncate(path, 0)
        return os.open(self.path_of(path), flags & ~(os.O_TRUNC | os.O_APPEND | os.O_EXCL | os.O_CREAT))

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        handle = os.open(self.path_of(path), os.O_RDWR | os.O_CREAT, mode)
        self._own(path)
        self.pending.setdefault(os.fstat(handle).st_ino, [])
        return handle

    def _own(self, path: str) -> None:
        user, group, _ = mfusepy.fuse_get_context()
        os.lchown(self.path_of(path), user, group)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._note(os.fstat(fh).st_ino, fh, offset, bytes(data))
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        self._note(os.lstat(self.path_of(path)).st_ino, self.path_of(path), length, None)
        os.truncate(self.path_of(path), length)

    def fsync(self, path: str, datasync: int, fh: int) -> None:
        self._keep(os.fstat(fh).st_ino, path)

    def fsyncdir(self, path: str, datasync: int, fh: int) -> None:
        folder = self.path_of(path)
        self.names[os.lstat(folder).st_ino] = {name: os.lstat(f"{folder}/{name}").st_ino for name in os.listdir(folder)}

    def release(self, path: str, fh: int) -> None:
        os.close(fh)

    def unlink(self, path: str) -> None:
        self._hold(path)
        os.unlink(self.path_of(path))

    def rename(self, old: str, new: str) -> None:
        if os.path.lexists(self.path_of(new)):
            self._hold(new)
        os.rename(self.path_of(old), self.path_of(new))

    def mkdir(self, path: str, mode: int) -> None:
        os.mkdir(self.path_of(path), mode)
        self._own(path)
        inode = os.lstat(self.path_of(path)).st_ino
        # A new folder's name is kept at once: our programs do not sync its parent, and journaling file systems write it
        # with the first synced file inside.
        self.names[inode] = {}
        self.names.setdefault(os.lstat(os.path.dirname(self.path_of(path))).st_ino, {})[os.path.basename(path)] = inode

    def mknod(self, path: str, mode: int, device: int) -> None:
        os.mknod(self.path_of(path), mode, device)  # a server's socket
        self._own(path)

    def rmdir(self, path: str) -> None:
        os.rmdir(self.path_of(path))

    def symlink(self, target: str, source: str) -> None:
        os.symlink(source, self.path_of(target))

    def link(self, target: str, source: str) -> None:
        os.link(self.path_of(source), self.path_of(target))

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self.path_of(path), mode)

    def chown(self, path: str, uid: int, gid: int) -> None:
        os.lchown(self.path_of(path), uid, gid)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> None:
        os.utime(self.path_of(path), ns=times)

    def statfs(self, path: str) -> dict[str, int]:
        found = os.statvfs(self.path_of(path))
        return {name: getattr(found, name) for name in ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_frsize")}


def after_power_cut(live: Path, kept: Path, to: Path) -> int:
    """Build in `to` what a disk would hold; returns how many files have other content than before."""
    told = json.loads((kept / NAMES).read_text())
    names = {int(inode): entries for inode, entries in told["names"].items()}
    owners: dict[int, os.stat_result] = {}
    where: dict[int, Path] = {}
    for folder, folders, files in os.walk(live):
        for name in [*folders, *files]:
            path = Path(folder) / name
            where[path.lstat().st_ino], owners[path.lstat().st_ino] = path, path.lstat()
    for path in (kept / HELD).iterdir():
        where[int(path.name)], owners[int(path.name)] = path, path.lstat()
    changed = 0

    def build(inode: int, directory: Path) -> None:
        nonlocal changed
        directory.mkdir(exist_ok=True)
        for name, child in names.get(inode, {}).items():
            target = directory / name
            if child in names:
                build(child, target)
            elif (kept / FILES / str(child)).exists():
                shutil.copyfile(kept / FILES / str(child), target)
                changed += child not in where or where[child].read_bytes() != target.read_bytes()
            elif child in where:
                if where[child].is_socket():
                    continue
                if where[child].is_symlink():
                    target.symlink_to(where[child].readlink())
                    continue
                shutil.copyfile(where[child], target)  # never written: as at the mount
            else:
                target.touch()  # a name whose content was never synced
            if child in owners:
                os.chown(target, owners[child].st_uid, owners[child].st_gid)
                target.chmod(owners[child].st_mode & 0o7777)
        entry = where.get(inode, live).lstat()
        os.chown(directory, entry.st_uid, entry.st_gid)
        directory.chmod(entry.st_mode & 0o7777)

    build(told["root"], to)
    return changed


def until_cut(fuse: Forgetful) -> None:
    """Fail every call with EIO as soon as `KEPT/cut` exists; write the names first."""

    def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*arguments: Any, **named: Any) -> Any:
            if (fuse.kept / "cut").exists():
                if not (fuse.kept / NAMES).exists():
                    fuse.write_names()
                raise mfusepy.FuseOSError(errno.EIO)
            return call(*arguments, **named)

        return answer

    for name in CALLS:
        setattr(fuse, name, guarded(getattr(fuse, name)))


def main(live: Path, kept: Path, at: Path) -> None:
    """Mount until unmounted. Single-threaded, so calls are serialised."""
    fuse = Forgetful(live, kept)
    until_cut(fuse)
    mfusepy.FUSE(
        fuse,
        str(at),
        foreground=True,
        nothreads=True,
        allow_other=True,
        default_permissions=True,
        attr_timeout=0,
        entry_timeout=0,
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
