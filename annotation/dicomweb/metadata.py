"""Metadata as DICOM JSON, and the frames of segmentations, which lie in bits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from annotation.dicomweb.catalogue import Catalogue, HeldSeries
from annotation.dicomweb.images import headers_of
from annotation.dicomweb.segmentations import segmentation_file
from voxloop.kernel.errors import NotFound

PIXELS = "7FE00010"


def metadata_of(held: HeldSeries, catalogue: Catalogue, root: str) -> list[dict[str, Any]]:
    """Every instance of a series; its pixels by `BulkDataURI`."""
    if held.mask:
        with segmentation_file(held, catalogue) as path:
            images: Sequence[Dataset] = [dcmread(path, stop_before_pixels=True)]
    else:
        images = headers_of(held.scan, catalogue.source_of_scan(held.scan))
    return [_as_json(image, "OB" if held.mask else "OW", root) for image in images]


def frame_of_segmentation(held: HeldSeries, catalogue: Catalogue, numbers: Sequence[int]) -> list[bytes]:
    """Frames of a BINARY segmentation: one bit a pixel, the lowest first, each frame from a byte of its own
    (PS3.18 8.7.3.3). Raises NotFound."""
    with segmentation_file(held, catalogue) as path:
        document = dcmread(path)
    count, pixels = int(document.NumberOfFrames), int(document.Rows) * int(document.Columns)
    if not all(1 <= number <= count for number in numbers):
        raise NotFound(f"This segmentation has the frames 1 to {count}.")
    packed = np.frombuffer(document.PixelData, np.uint8)
    return [_cut(packed, (number - 1) * pixels, pixels) for number in numbers]


def pixel_data_of(held: HeldSeries, catalogue: Catalogue) -> bytes:
    """The whole pixel data of a segmentation, as in its file."""
    with segmentation_file(held, catalogue) as path:
        return bytes(dcmread(path).PixelData)


def _cut(packed: "np.ndarray[Any, np.dtype[np.uint8]]", start: int, count: int) -> bytes:
    whole = packed[start // 8 : (start + count + 7) // 8]
    if start % 8 == 0 and count % 8 == 0:
        return whole.tobytes()
    bits = np.unpackbits(whole, bitorder="little")[start % 8 : start % 8 + count]
    return np.packbits(bits, bitorder="little").tobytes()


def _as_json(image: Dataset, pixel_vr: str, root: str) -> dict[str, Any]:
    told: dict[str, Any] = {"00080005": {"vr": "CS", "Value": ["ISO_IR 192"]}, **image.to_json_dict()}
    place = f"{root}/studies/{image.StudyInstanceUID}/series/{image.SeriesInstanceUID}/instances/{image.SOPInstanceUID}"
    told[PIXELS] = {"vr": pixel_vr, "BulkDataURI": f"{place}/bulkdata/{PIXELS}"}
    return dict(sorted(told.items()))
