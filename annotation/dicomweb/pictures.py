"""Slices as pictures: a window, a size, PNG or JPEG."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import imagecodecs
import numpy as np
from rest_framework.exceptions import ParseError
from scipy import ndimage as ndi

from annotation.datasets.exporters.dicom_images import WINDOW_HU
from voxloop.volume.pack.codec import Voxels

THUMBNAIL = 128  # pixels of the longer side
MOST_PIXELS = 4096
NUMBER = re.compile(r"-?[0-9]{1,7}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True)
class Look:
    """Window centre and width in HU, the largest width and height in pixels (None: as it is), quality of a JPEG."""

    centre: float = WINDOW_HU[0]
    width: float = WINDOW_HU[1]
    viewport: tuple[int, int] | None = None
    quality: int = 90


def read_look(query: Mapping[str, str], *, is_thumbnail: bool = False) -> Look:
    """`window`, `viewport` and `quality` of a query (PS3.18 8.3.5). Raises ParseError (`bad_rendering`)."""
    centre, width = map(float, WINDOW_HU)
    if text := query.get("window"):
        parts = text.split(",")
        if len(parts) != 3 or not all(NUMBER.fullmatch(part) for part in parts[:2]) or parts[2] != "linear":
            raise _bad("window is a centre and a width in HU and the word linear: window=-600,1500,linear.")
        centre, width = float(parts[0]), float(parts[1])
        if width < 1:
            raise _bad("The width of a window is 1 HU or more.")
    viewport = (THUMBNAIL, THUMBNAIL) if is_thumbnail else None
    if text := query.get("viewport"):
        parts = text.split(",")
        if len(parts) != 2 or not all(part.isdecimal() and 0 < int(part[:9]) <= MOST_PIXELS for part in parts):
            raise _bad(f"viewport is a width and a height of 1 to {MOST_PIXELS} pixels: viewport=256,256.")
        viewport = int(parts[0]), int(parts[1])
    quality = query.get("quality", "90")
    if not (quality.isdecimal() and 1 <= int(quality[:9]) <= 100):
        raise _bad("quality is a whole number from 1 to 100.")
    return Look(centre, width, viewport, int(quality))


def draw(hu_yx: Voxels, spacing_mm_yx: tuple[float, float], look: Look, media: str) -> bytes:
    """A slice as PNG or JPEG, its proportions those of the patient when it is scaled."""
    low, span = look.centre - 0.5 - (look.width - 1) / 2, max(look.width - 1, 1e-6)
    grey = np.clip((hu_yx.astype(np.float32) - low) / span, 0, 1)  # LINEAR, PS3.3 C.11.2.1.2.1
    if look.viewport:
        rows, columns = hu_yx.shape
        across, down = columns * spacing_mm_yx[1], rows * spacing_mm_yx[0]
        scale = min(look.viewport[0] / across, look.viewport[1] / down)
        size = max(1, round(down * scale)), max(1, round(across * scale))
        grey = ndi.zoom(grey, (size[0] / rows, size[1] / columns), order=1, grid_mode=True, mode="nearest")
    image = np.ascontiguousarray((np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8))
    if media == "image/png":
        return bytes(imagecodecs.png_encode(image))
    return bytes(imagecodecs.jpeg8_encode(image, level=look.quality))


def _bad(sentence: str) -> ParseError:
    return ParseError(sentence, code="bad_rendering")
