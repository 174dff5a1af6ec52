"""CT slices as DICOM instances out of the volume pack, by the exporter of releases, in either transfer syntax."""

import io
from collections.abc import Iterator, Sequence

from pydicom.dataset import Dataset
from pydicom.uid import UID

from annotation.datasets.exporters.dicom_images import add_pixels, describe_image
from annotation.datasets.exporters.dicom_source import Source, slice_headers
from annotation.scans.models import Scan
from annotation.scans.volumes import blame, index_damaged, read_index, read_slices, stream_slices
from voxloop.kernel.errors import Damaged
from voxloop.volume.errors import FormatError
from voxloop.volume.pack import VolumeIndex, decode_slice
from voxloop.volume.pack.codec import Voxels


def headers_of(scan: Scan, source: Source) -> list[Dataset]:
    """Every slice without its pixels."""
    images = slice_headers(read_index(scan).geometry, source)
    for image in images:
        describe_image(image)
        if scan.description:
            image.SeriesDescription = scan.description[:64]
    return images


def stream_images(scan: Scan, source: Source, syntax: UID) -> Iterator[bytes]:
    """Every slice as a DICOM file, checked before the first. Raises Damaged."""
    index, streams = _all_slices(scan)
    images = headers_of(scan, source)
    return (
        _file(image, _pixels(scan, index, stream, syntax), syntax)
        for image, stream in zip(images, streams, strict=True)
    )


def image_file(scan: Scan, source: Source, k: int, syntax: UID) -> bytes:
    """One slice as a DICOM file. Raises Damaged."""
    index, stream = one_slice(scan, k)
    return _file(headers_of(scan, source)[k], _pixels(scan, index, stream, syntax), syntax)


def frame_of(scan: Scan, k: int, syntax: UID) -> bytes:
    """The pixels of one slice: int16 little endian, or the codestream as it lies in the pack. Raises Damaged."""
    index, stream = one_slice(scan, k)
    return _pixels(scan, index, stream, syntax)


def voxels_of(scan: Scan, k: int) -> Voxels:
    """One slice (yx), in HU. Raises Damaged."""
    index, stream = one_slice(scan, k)
    return _decoded(scan, index, stream)


def one_slice(scan: Scan, k: int) -> tuple[VolumeIndex, bytes]:
    """The index and one codestream. Raises Damaged."""
    try:
        index, [stream] = read_slices(scan, k, k + 1)
    except Damaged as found:
        raise blame(scan, found) from found
    return index, stream


def check_slices(scans: Sequence[Scan]) -> None:
    """Check every slice of these scans, before the first byte of an answer is sent. Raises Damaged."""
    for scan in scans:
        _all_slices(scan)


def _all_slices(scan: Scan) -> tuple[VolumeIndex, Iterator[bytes]]:
    try:
        return stream_slices(scan)
    except Damaged as found:
        raise blame(scan, found) from found


def _pixels(scan: Scan, index: VolumeIndex, stream: bytes, syntax: UID) -> bytes:
    return stream if syntax.is_encapsulated else _decoded(scan, index, stream).astype("<i2").tobytes()


def _decoded(scan: Scan, index: VolumeIndex, stream: bytes) -> Voxels:
    try:
        return decode_slice(stream, index.pack, index.geometry.shape_zyx[1:])
    except FormatError as error:  # the bytes were verified
        raise index_damaged(scan) from error


def _file(image: Dataset, pixels: bytes, syntax: UID) -> bytes:
    add_pixels(image, pixels, syntax)
    written = io.BytesIO()
    image.save_as(written, enforce_file_format=True)
    return written.getvalue()
