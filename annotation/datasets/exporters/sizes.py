"""How large an export will be, by format: an estimate from what is stored. The factors were measured on LIDC-IDRI-0001
with the mask of its tumour and with one of noise; a test holds the estimate within a factor of 2 of an export."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

# Bytes of a file of its kind besides its voxels.
NIFTI, SLICE_HEADER, SEG_HEADER, FRAME_HEADER, REPORT = 400, 1_100, 3_000, 450, 7_500
DOCUMENTS, PER_FILE, TABLES, PER_ROW, PAPER, CHUNK = 25_000, 360, 30_000, 500, 46_000, 32


@dataclass(frozen=True)
class MaskSize:
    """A stored mask: voxels of each segment, its chunks of 32³, the layers of chunks along k, their stored bytes."""

    voxels: Sequence[int]
    chunks: int
    layers: int
    stored: float


@dataclass(frozen=True)
class ScanSize:
    """A stored scan: its grid, the bytes of its pack, and its masks."""

    shape_zyx: Sequence[int]
    pack: int
    masks: Sequence[MaskSize]
    is_ct: bool = True


def estimate_bytes(scans: Iterable[ScanSize], formats: Sequence[str]) -> dict[str, float]:
    """Bytes by format: `images`, `labels`, `dicom_seg`, each of `formats`, and `documents`."""
    found: dict[str, float] = dict.fromkeys(("images", "labels", "dicom_seg"), 0.0)
    files = count = 0
    for scan in scans:
        count += 1
        sizes = _of_scan(scan)
        for name in (*found, *(name for name in formats if name not in found)):
            found[name] = found.get(name, 0.0) + sizes.get(name, 0.0)
        files += 2 + len(scan.masks) * (2 + len(formats)) + ("dicom" in formats) * scan.shape_zyx[0]
    if "tables" in formats:
        found["tables"] = TABLES + PER_ROW * count
    if "paper" in formats:
        found["paper"] = PAPER
    return found | {"documents": DOCUMENTS + PER_FILE * files}


def _of_scan(scan: ScanSize) -> Mapping[str, float]:
    slices, rows, columns = scan.shape_zyx
    area, voxels = rows * columns, slices * rows * columns
    image = 1.42 * scan.pack + NIFTI
    labels = [1.44 * mask.stored + voxels / 1020 + NIFTI for mask in scan.masks]
    sizes = {
        "images": image,
        "labels": sum(labels),
        "nifti_original": image + sum(labels),
        "bids": image + sum(labels),
        "nnunet": image + (labels[0] if labels else 0),
        "coco": sum(110 * slices + 2.1 * mask.stored for mask in scan.masks),
    }
    if scan.is_ct:
        frames = [_filled(mask, slices) for mask in scan.masks]
        sizes |= {
            "dicom_seg": sum(SEG_HEADER + sum(of_mask) * (area / 8 + FRAME_HEADER) for of_mask in frames),
            "dicom_seg_labelmap": sum(
                SEG_HEADER + max(of_mask) * (area / 64 + FRAME_HEADER) + 2 * mask.stored
                for mask, of_mask in zip(scan.masks, frames, strict=True)
            ),
            "dicom_sr": REPORT * len(scan.masks),
            "rtstruct": sum(SEG_HEADER + 16 * mask.stored for mask in scan.masks),
        }
    sizes["dicom"] = 2 * voxels + SLICE_HEADER * slices
    return sizes


def _filled(mask: MaskSize, slices: int) -> list[int]:
    """Slices with a voxel, by segment: those of a ball in each chunk. One frame is written for an empty mask."""
    most = min(slices, mask.layers * CHUNK)
    filled = [
        min(most, mask.layers * min(CHUNK, ceil(1.24 * (voxels / mask.chunks) ** (1 / 3))))
        for voxels in mask.voxels
        if voxels and mask.chunks
    ]
    return filled or [max(1, len(mask.voxels))]
