"""What writers of a release share: the voxels they get, and the list of files they have written."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from voxloop.storage.objects import sha256_of
from voxloop.volume.pack.codec import Voxels

Frozen = Mapping[str, Any]
Labels = npt.NDArray[np.uint8]
# From the bytes of SHA256SUMS to their signature (64 bytes) and the public key (PEM).
Sign = Callable[[bytes], tuple[bytes, bytes]]


@dataclass(frozen=True)
class ScanVoxels:
    """The voxels of one scan in a release: HU, and the labelmap of each layer including erased voxels (255).

    `instance_uids` are the SOP Instance UIDs of its slices in the order of `k`, where they are known.
    """

    hu_zyx: Voxels
    labels_zyx: Mapping[str, Labels]
    instance_uids: Sequence[str] | None = None


@dataclass
class Listing:
    """The files written so far into the folder of a release, as the manifest lists them."""

    folder: Path
    files: list[dict[str, Any]] = field(default_factory=list)

    def place(self, subfolder: str, name: str) -> Path:
        """Where a file of this name goes; its folder is made. Raises ValueError for a name with a folder in it."""
        if Path(name).name != name:
            raise ValueError(f"{name!r} is not a valid file name")
        (self.folder / subfolder).mkdir(parents=True, exist_ok=True)
        return self.folder / subfolder / name

    def add(self, path: Path, role: str, scan: str | None = None, layer: str | None = None) -> None:
        """List a written file."""
        self.files.append(
            {
                "path": path.relative_to(self.folder).as_posix(),
                "role": role,
                "scan": scan,
                "layer": layer,
                "sha256": sha256_of(path),
                "bytes": path.stat().st_size,
            }
        )

    def add_text(self, name: str, text: str, role: str = "document") -> None:
        """Write and list a text file; `name` may lie in folders."""
        path = self.place(str(Path(name).parent), Path(name).name)
        path.write_text(text, "utf-8")
        self.add(path, role)

    def add_copy(self, source: Path, target: Path, role: str, scan: str) -> None:
        """List `source` under a second name: one file on disk where the file system can, else a copy."""
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
        self.add(target, role, scan)


class Writer(Protocol):
    """Writes one format that was asked for. Made anew for each release, as `Writer(frozen, listing)`."""

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> Any:
        """Write one scan; returns what `finish` needs of it, as JSON. `clean_zyx` are its labelmaps without the erased
        voxels. Keeps nothing itself: an export that goes on calls it only for scans that are not written yet."""

    def finish(self, told: Sequence[Any]) -> None:
        """Write what is about all scans, from what `add` returned for each of them, in their order."""


def pretty(document: Any) -> str:
    """A JSON document for people; equal input gives equal bytes."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
