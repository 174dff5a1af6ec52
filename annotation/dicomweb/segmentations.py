"""Approved masks as DICOM SEG files, made by a child process when they are asked for, and not kept: an erasure has
nothing to look for here."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import annotation
import voxloop
from annotation.datasets.freezing import signed_hash
from annotation.dicomweb.catalogue import Catalogue, HeldSeries, identity_of
from annotation.dicomweb.request import FILE, LABELS, SegmentRequest, SegmentResult
from annotation.masks.store import load_labels
from annotation.scans.volumes import read_index, ready_volume
from voxloop import __version__
from voxloop.child import Bounds, ChildError
from voxloop.child.outside import bare_environment, run_child
from voxloop.jobs.scratch import of_process
from voxloop.kernel.errors import FULL, Busy, NoSpace
from voxloop.volume.labelmap import strip_erased

MEMORY_BYTES = 8 << 30
TIMEOUT_S = 120.0
SCRATCH = "exports"
BLOCK = 1 << 20


@contextmanager
def segmentation_file(held: HeldSeries, catalogue: Catalogue) -> Iterator[Path]:
    """The file of a segmentation, there as long as the context lasts. Raises Conflict (`signature_broken`), Damaged,
    NoSpace, Busy."""
    folder = of_process(SCRATCH)
    try:
        folder.mkdir(parents=True, mode=0o700)
        _write(held, catalogue, folder)
        yield folder / FILE
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stream_segmentation(held: HeldSeries, catalogue: Catalogue) -> tuple[int, Iterator[bytes]]:
    """Length and bytes of a segmentation. The file has no name any more when this returns: nothing is left behind when
    the client goes away."""
    with segmentation_file(held, catalogue) as path:
        handle = path.open("rb")
        size = path.stat().st_size

    def read() -> Iterator[bytes]:
        with handle:
            while block := handle.read(BLOCK):
                yield block

    return size, read()


def _write(held: HeldSeries, catalogue: Catalogue, folder: Path) -> None:
    mask, scan = held.mask, held.scan
    assert mask is not None  # noqa: S101 - the caller has asked for a segmentation
    signed_hash(mask.round, mask.layer, mask.approved, scan)
    labels_zyx = strip_erased(load_labels(mask.approved, ready_volume(scan).shape_zyx))
    (folder / LABELS).write_bytes(labels_zyx.tobytes())
    source = catalogue.source_of_scan(scan)
    request = SegmentRequest(
        **read_index(scan).geometry.to_json(),
        subject=source.subject,
        study_uid=source.study_uid,
        series_uid=source.series_uid,
        frame_of_reference_uid=source.frame_of_reference_uid,
        instance_uids=list(source.instance_uids or ()),
        layer=dict(held.layer),
        identity=identity_of(mask, scan),
        created_at=mask.round.ended_at.isoformat(timespec="seconds") if mask.round.ended_at else "",
        software=__version__,
        creator=mask.round.author.username,
    )
    try:
        run_child(
            "annotation.dicomweb.segment",
            request,
            SegmentResult,
            folder=folder,
            environment=bare_environment((annotation, voxloop), HOME=str(folder), OMP_NUM_THREADS="1"),
            on_look=lambda lines: None,
            bounds=Bounds(memory_bytes=MEMORY_BYTES, cpu_s=int(TIMEOUT_S * (os.cpu_count() or 1)), file_bytes=4 << 30),
            timeout_s=TIMEOUT_S,
        )
    except ChildError as end:
        if end.code == "no_space":
            raise NoSpace from end
        raise Busy("The segmentation could not be made just now. Try again in a moment.") from end
