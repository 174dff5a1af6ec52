"""COCO annotations: each segment of each slice as run lengths, by pycocotools.

COCO knows flat pictures; an image here is one slice of a file of `images/`, and `scans` leads from its pixels to mm."""

from collections.abc import Mapping
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
        self.documents = {(layer, side): self._begin(layer) for layer in frozen["layers"] for side in SIDES}

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> None:
        """Slices in the order of `k`; `x` is `i` and `y` is `j` of the voxel."""
        for layer, labels_zyx in clean_zyx.items():
            document = self.documents[layer, scan["split"]]
            geometry = {key: scan[key] for key in ("shape_zyx", "spacing_mm_zyx", "lps_from_ijk")}
            document["scans"].append({"code": scan["code"], **geometry})
            _, height, width = labels_zyx.shape
            for k, labels_yx in enumerate(labels_zyx):
                image = len(document["images"]) + 1
                document["images"].append(
                    {
                        "id": image,
                        "file_name": f"images/{scan['code']}.nii.gz",
                        "slice": k,
                        "height": height,
                        "width": width,
                    }
                )
                document["annotations"] += _annotate(labels_yx, image, len(document["annotations"]))

    def finish(self) -> None:
        """A side without a scan has no file."""
        for (layer, side), document in self.documents.items():
            if document["images"]:
                self.listing.add_text(f"{folder_of('coco', layer, self.frozen)}/{side}.json", pretty(document), ROLE)

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


def _annotate(labels_yx: Labels, image: int, before: int) -> list[dict[str, Any]]:
    """One annotation for each segment in a slice."""
    found = []
    for number, value in enumerate(np.unique(labels_yx[labels_yx > 0]), start=before + 1):
        encoded = run_lengths.encode(np.asfortranarray(labels_yx == value, dtype=np.uint8))
        found.append(
            {
                "id": number,
                "image_id": image,
                "category_id": int(value),
                "segmentation": {"size": encoded["size"], "counts": encoded["counts"].decode("ascii")},
                "area": int(run_lengths.area(encoded)),
                "bbox": run_lengths.toBbox(encoded).tolist(),
                "iscrowd": 0,
            }
        )
    return found
