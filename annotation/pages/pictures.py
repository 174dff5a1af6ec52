"""Slices of scans as PNG: with masks on it for the review queue, plain for the page of models."""

from collections.abc import Sequence
from typing import Any

import imagecodecs
import numpy as np
from scipy import ndimage as ndi

from annotation.masks.models import MaskRevision
from annotation.masks.selectors import newest_prediction
from annotation.masks.store import chunks_of
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.scans.models import Scan
from annotation.scans.volumes import read_preview, read_slices, ready_volume
from annotation.work.schema import Layer, parse_schema
from voxloop.kernel.errors import NotFound
from voxloop.volume.labelmap import strip_erased
from voxloop.volume.labelmap.chunks import Labels
from voxloop.volume.labelmap.slices import count_by_slice, slice_of
from voxloop.volume.pack import decode_slice

PICTURES = {"author": "Author", "prediction": "Pre-annotation", "difference": "Difference"}
LUNG_CENTRE_HU, LUNG_WIDTH_HU = -600, 1500
FILL = 0.34
SHOWN, PROPORTION = 0.66, 1.36  # share of the rows; width : height
ADDED, REMOVED = "#09d36c", "#ff78da"  # --seg-6, --seg-7


def draw_picture(found: ReviewRound, what: str) -> bytes:
    """PNG of an axial slice in the lung window, with masks: where author and model differ most, else where most is
    drawn, else the middle one. The same slice whatever is asked for."""
    scan = found.annotation.scan
    if scan.shape_zyx is None:
        raise NotFound
    layer = parse_schema(found.annotation.campaign.schema.definition).layer()
    mask = RoundMask.objects.filter(round=found, layer=layer.name).select_related("submitted").first()
    k, author, model = _telling_slice(
        mask.submitted if mask else None, newest_prediction(scan.pk, layer.name), ready_volume(scan).shape_zyx
    )
    image = _slice_rgb(scan, k)
    if what == "author":
        _paint_layer(image, author, layer)
    elif what == "prediction":
        _paint_layer(image, model, layer)
    else:
        _paint(image, (author > 0) & (model == 0), ADDED)
        _paint(image, (model > 0) & (author == 0), REMOVED)
    return bytes(imagecodecs.png_encode(_crop(image, (author > 0) | (model > 0))))


def draw_slice(scan: Scan, k: int) -> bytes:
    """PNG of one axial slice in the lung window. Raises NotFound for a slice that the scan does not have."""
    if scan.shape_zyx is None or not 0 <= k < scan.shape_zyx[0]:
        raise NotFound
    return bytes(imagecodecs.png_encode(_slice_rgb(scan, k)[..., 0].copy()))


def draw_label(scan: Scan, layers_zyx: Sequence[Any], number: int) -> bytes:
    """PNG of the axial slice with most of one label (its number in the layers of a mask file), the middle one for an
    empty label."""
    if scan.shape_zyx is None:
        raise NotFound
    sums = [(layer == number).sum(axis=(1, 2)) for layer in layers_zyx]
    at = int(np.argmax([each.max() for each in sums])) if sums else 0
    is_empty = not sums or not sums[at].any()
    k = scan.shape_zyx[0] // 2 if is_empty else int(sums[at].argmax())
    image = _slice_rgb(scan, k)
    inside = np.zeros(image.shape[:2], np.bool_) if is_empty else layers_zyx[at][k] == number
    _paint(image, inside, ADDED)
    return bytes(imagecodecs.png_encode(_crop(image, inside)))


def draw_plane(scan: Scan, plane: str) -> bytes:
    """PNG of the middle of a scan: the axial slice itself, or the coronal plane of its preview, head up and in
    proportion. Raises NotFound for another plane, and for the coronal one of an image of one slice."""
    volume = ready_volume(scan)
    depth, _, width = volume.shape_zyx
    if plane == "axial":
        return bytes(imagecodecs.png_encode(_slice_rgb(scan, depth // 2)[..., 0].copy()))
    if plane != "coronal" or depth == 1:
        raise NotFound
    hu = read_preview(scan)
    cut = hu[::-1, hu.shape[1] // 2]
    across = 2 * cut.shape[1]
    tall = max(1, round(across * depth * volume.spacing_mm_zyx[0] / (width * volume.spacing_mm_zyx[2])))
    zoomed = ndi.zoom(cut, (tall / cut.shape[0], across / cut.shape[1]), order=1, grid_mode=True, mode="nearest")
    return bytes(imagecodecs.png_encode(_grey(zoomed, scan)))


def _crop(image: Any, drawn: Any) -> Any:
    """The part around the drawn voxels, in the aspect ratio of the page's frame."""
    rows, columns = drawn.shape
    height = round(rows * SHOWN)
    width = min(columns, round(height * PROPORTION))
    middle = np.argwhere(drawn).mean(axis=0) if drawn.any() else np.array([rows / 2, columns / 2])
    top = int(np.clip(middle[0] - height / 2, 0, rows - height))
    left = int(np.clip(middle[1] - width / 2, 0, columns - width))
    return np.ascontiguousarray(image[top : top + height, left : left + width])


def _telling_slice(
    author: MaskRevision | None, model: MaskRevision | None, shape_zyx: tuple[int, int, int]
) -> tuple[int, Labels, Labels]:
    """Which axial slice to show, and both masks on it (uint8, y x, nothing erased). From the chunks alone: three
    pictures are asked for at once, and a whole volume of each mask took seconds."""
    chunks = chunks_of(author, shape_zyx), chunks_of(model, shape_zyx)
    differing, drawn = count_by_slice(*chunks, shape_zyx)
    telling = differing if differing.any() else drawn
    k = int(telling.argmax()) if telling.any() else shape_zyx[0] // 2
    mine, theirs = (strip_erased(slice_of(each, k, shape_zyx)) for each in chunks)
    return k, mine, theirs


def _slice_rgb(scan: Scan, k: int) -> Any:
    """The slice in the lung window, uint8 RGB (rows, columns, 3)."""
    index, [stream] = read_slices(scan, k, k + 1)
    hu = decode_slice(stream, index.pack, index.geometry.shape_zyx[1:]).astype(np.float32)
    return np.repeat(_grey(hu, scan)[..., None], 3, axis=2)


def _grey(values: Any, scan: Scan) -> Any:
    """uint8: a CT in the lung window, anything else from its darkest to its brightest hundredth."""
    if scan.modality == "CT":
        low, wide = LUNG_CENTRE_HU - LUNG_WIDTH_HU / 2, LUNG_WIDTH_HU
    else:
        low, high = np.percentile(values, (1, 99))
        wide = max(1.0, high - low)
    return (np.clip((values - low) / wide, 0, 1) * 255).astype(np.uint8)


def _paint_layer(image: Any, labels: Any, layer: Layer) -> None:
    for segment in layer.segments:
        _paint(image, labels == segment.id, segment.colour)


def _paint(image: Any, inside: Any, colour: str) -> None:
    """Fill at 34 %, contour at 100 %."""
    if not inside.any():
        return
    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.float32)
    padded = np.pad(inside, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:] & inside
    image[core] = (image[core] * (1 - FILL) + rgb * FILL).astype(np.uint8)
    image[inside & ~core] = rgb.astype(np.uint8)
