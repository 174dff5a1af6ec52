"""COCO annotations: each segment of each slice as run lengths, by pycocotools.

COCO knows flat pictures; an image here is one slice of a file of `images/`, and `scans` leads from its pixels to mm."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as run_lengths

from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels, pretty
from annotation.datasets.exporters.manifest import SIDES, folder_of, layer_of

ROLE = "coco"


class Writer:
    """One file for each layer and side of the split. Every slice is an image, also one without an annotation."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.frozen, self.listing = frozen, listing

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> Any:
        """By layer the annotations of each slice, in the order of `k`; `x` is `i` and `y` is `j` of the voxel."""
        geometry = {key: scan[key] for key in ("shape_zyx", "spacing_mm_zyx", "lps_from_ijk")}
        drawn = {layer: [_annotate(labels_yx) for labels_yx in labels_zyx] for layer, labels_zyx in clean_zyx.items()}
        return {"scan": {"code": scan["code"], **geometry}, "split": scan["split"], "layers": drawn}

    def finish(self, told: Sequence[Any]) -> None:
        """A side without a scan has no file."""
        for layer in self.frozen["layers"]:
            for side in SIDES:
                document = self._begin(layer)
                for one in told:
                    if one["split"] == side and layer in one["layers"]:
                        _append(document, one["scan"], one["layers"][layer])
                if document["images"]:
                    name = f"{folder_of('coco', layer, self.frozen)}/{side}.json"
                    self.listing.add_text(name, pretty(document), ROLE)

    def _begin(self, layer: str) -> dict[str, Any]:
        release = self.frozen["release"]
        return {
            "info": {"description": f"{self.frozen['campaign']['name']}: {release['name']}, layer {layer}"},
            "licenses": [{"id": 1, "name": release["licence"], "url": ""}],
            "categories": [
                {"id": int(segment["id"]), "name": segment["key"], "supercategory": layer}
                for segment in layer_of(self.frozen, layer)["segments"]
            ],
            "scans": [],
            "images": [],
            "annotations": [],
        }


def _append(document: dict[str, Any], scan: Mapping[str, Any], slices: Sequence[Any]) -> None:
    """Number the slices of a scan as images, and their annotations, after what is there."""
    document["scans"].append(scan)
    _, height, width = scan["shape_zyx"]
    file = f"images/{scan['code']}.nii.gz"
    for k, drawn in enumerate(slices):
        image = len(document["images"]) + 1
        document["images"].append({"id": image, "file_name": file, "slice": k, "height": height, "width": width})
        first = len(document["annotations"]) + 1
        document["annotations"] += [
            {"id": number, "image_id": image, **annotation} for number, annotation in enumerate(drawn, start=first)
        ]


def _annotate(labels_yx: Labels) -> list[dict[str, Any]]:
    """One annotation for each segment in a slice, without its number."""
    found = []
    for value in np.unique(labels_yx[labels_yx > 0]):
        encoded = run_lengths.encode(np.asfortranarray(labels_yx == value, dtype=np.uint8))
        found.append(
            {
                "category_id": int(value),
                "segmentation": {"size": encoded["size"], "counts": encoded["counts"].decode("ascii")},
                "area": int(run_lengths.area(encoded)),
                "bbox": run_lengths.toBbox(encoded).tolist(),
                "iscrowd": 0,
            }
        )
    return found
