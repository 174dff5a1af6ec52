"""A raw dataset of nnU-Net v2 (docs of nnU-Net, "dataset_format.md"), as its own verifier accepts it.

nnU-Net wants values 1…n without gaps and the ignore label, what nobody judged, as the highest. It only warns when an
image and its label lie apart; here both are written on the grid of the scan."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels, pretty
from annotation.datasets.exporters.manifest import SIDES, channel_of, main_layer
from voxloop.volume import nifti
from voxloop.volume.geometry import Geometry

IGNORE = "ignore"  # the one name that nnU-Net does not learn
NUMBER = 100  # 1 to 10 are taken by the datasets of the Medical Segmentation Decathlon
ROLE = "nnunet"


def numbered_segments(layer: Mapping[str, Any]) -> dict[str, int]:
    """nnU-Net's values by segment key: 1…n in the order of the ids, a segment called `ignore` last."""
    ordered = sorted(layer["segments"], key=lambda segment: (segment["key"] == IGNORE, int(segment["id"])))
    return {segment["key"]: value for value, segment in enumerate(ordered, start=1)}


class Writer:
    """The main layer of every scan: training and validation sides as `Tr`, the test side as `Ts`."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.frozen, self.listing = frozen, listing
        self.layer = main_layer(frozen)
        self.values = numbered_segments(self.layer)
        self.value_of_id = np.zeros(256, np.uint8)
        for segment in self.layer["segments"]:
            self.value_of_id[int(segment["id"])] = self.values[segment["key"]]
        name = "".join(word.capitalize() for word in frozen["campaign"]["slug"].split("-"))
        self.folder = f"nnunet/Dataset{NUMBER}_{name}"

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> Any:
        """The image is the file of `images/` under the name that nnU-Net expects."""
        if self.layer["name"] not in clean_zyx:
            return None
        code = scan["code"]
        side = "Ts" if scan["split"] == "test" else "Tr"
        image = self.listing.place(f"{self.folder}/images{side}", f"{code}_0000.nii.gz")
        self.listing.add_copy(self.listing.folder / "images" / f"{code}.nii.gz", image, ROLE, code)
        label = self.listing.place(f"{self.folder}/labels{side}", f"{code}.nii.gz")
        nifti.write_labels(label, self.value_of_id[clean_zyx[self.layer["name"]]], Geometry.from_json(scan))
        self.listing.add(label, ROLE, code, self.layer["name"])
        return [scan["split"], code]

    def finish(self, told: Sequence[Any]) -> None:
        """`dataset.json`, and our split as fold 0 where there is a validation side."""
        train, validation = (sorted(one[1] for one in told if one and one[0] == side) for side in SIDES[:2])
        document = {
            "name": self.frozen["release"]["name"],
            "licence": self.frozen["release"]["licence"],
            "note": self.frozen["release"].get("notes", ""),
            "channel_names": {"0": channel_of(self.frozen)},
            "labels": {"background": 0} | self.values,
            "segment_ids": {segment["key"]: int(segment["id"]) for segment in self.layer["segments"]},
            "numTraining": len(train) + len(validation),
            "file_ending": ".nii.gz",
        }
        self.listing.add_text(f"{self.folder}/dataset.json", pretty(document), ROLE)
        if train and validation:
            splits = [{"train": train, "val": validation}]
            self.listing.add_text(f"{self.folder}/splits_final.json", pretty(splits), ROLE)
