"""The two pictures of a report as PNG: lungs and opacities in 3D, and the slice with most opacity."""

from typing import Any

import imagecodecs
import numpy as np
from scipy import ndimage as ndi

from annotation.work.schema import Layer
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import ERASED
from voxloop.volume.measuring import Regions
from voxloop.volume.projection import draw_surfaces

CENTRE_HU, WIDTH_HU = -600, 1500  # lung window
FILL, EDGE = 0.32, 0.95
LONGEST_PX = 640
TURNED_DEGREES = (0.0, 60.0)  # from the front, and from the patient's left
GAP_PX = 12
ENLARGED = 3


def draw_surface(labels_zyx: Any, regions: Regions, layer: Layer, geometry: Geometry) -> bytes:
    """PNG with a transparent ground: the lungs from the front and turned."""
    colours = {segment.id: _rgb(segment.colour) for segment in layer.segments}
    lungs = regions.labels_zyx > 0
    views = [_trimmed(draw_surfaces(lungs, labels_zyx, colours, geometry, degrees)) for degrees in TURNED_DEGREES]
    height = max(view.shape[0] for view in views)
    padded = [np.pad(view, ((0, height - view.shape[0]), (0, GAP_PX), (0, 0))) for view in views]
    picture = ndi.zoom(np.concatenate(padded, axis=1).astype(np.float32), (ENLARGED, ENLARGED, 1), order=1)
    return bytes(imagecodecs.png_encode(np.clip(picture, 0, 255).astype(np.uint8)))


def draw_slice(
    voxels_zyx: Any, labels_zyx: Any, layer: Layer, geometry: Geometry, k: int | None, modality: str
) -> bytes:
    """PNG of one axial slice twice, plain and with the mask: the patient's right on the left, the front on top; the
    middle slice for `k` None. A CT in the lung window, an X-ray in its own range."""
    k = voxels_zyx.shape[0] // 2 if k is None else k
    image, labels = voxels_zyx[k].astype(np.float32), labels_zyx[k]
    low, high = (CENTRE_HU - WIDTH_HU / 2, CENTRE_HU + WIDTH_HU / 2)
    if modality != "CT":
        low, high = (float(end) for end in np.percentile(image, (1, 99)))
    grey = np.clip((image - low) / max(high - low, 1e-6), 0, 1)[..., None].repeat(3, 2) * 255
    painted = grey.copy()
    for segment in layer.segments:
        inside = (labels == segment.id) & (labels != ERASED)
        if inside.any():
            colour = np.array(_rgb(segment.colour), np.float32)
            edge = inside & ~ndi.binary_erosion(inside)
            for where, share in ((inside, FILL), (edge, EDGE)):
                painted[where] = painted[where] * (1 - share) + colour * share
    both = [_upright(picture, geometry) for picture in (grey, painted)]
    return bytes(imagecodecs.png_encode(np.concatenate([both[0], both[1]], axis=1).astype(np.uint8)))


def _upright(picture: Any, geometry: Geometry) -> Any:
    """Rows to the back, columns to the left, square pixels, at most `LONGEST_PX` long."""
    matrix = geometry.affine()
    if matrix[1, 1] < 0:
        picture = picture[::-1]
    if matrix[0, 0] < 0:
        picture = picture[:, ::-1]
    _, mm_y, mm_x = geometry.spacing_mm_zyx
    height, width = picture.shape[0] * mm_y, picture.shape[1] * mm_x
    scale = LONGEST_PX / max(height, width)
    zoom = (height * scale / picture.shape[0], width * scale / picture.shape[1], 1)
    if max(zoom) > 1 or min(zoom[:2]) < 1:
        picture = ndi.zoom(picture, zoom, order=1)
    return np.clip(picture, 0, 255)


def _trimmed(picture: Any) -> Any:
    """Without the empty columns and rows at its sides."""
    there = picture[..., 3] > 0
    if not there.any():
        return picture
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return red, green, blue
