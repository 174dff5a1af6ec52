"""Scans, answers and quantities as Parquet (by pyarrow) and CSV, with a data dictionary and Croissant metadata."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow
import pyarrow.parquet

from annotation.datasets.exporters.croissant import croissant_document
from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels, pretty
from annotation.datasets.exporters.manifest import layer_of
from voxloop.kernel.cells import plain_cell
from voxloop.volume.amounts import amount_of, unit_of
from voxloop.volume.lesions import measure_lesions
from voxloop.volume.quantities import HU, weight_g

ROLE = "tables"
TYPES = {"text": pyarrow.string(), "whole number": pyarrow.int64(), "number": pyarrow.float64()}


@dataclass(frozen=True)
class Column:
    """A column of a table, as the data dictionary tells it."""

    name: str
    type: str  # a key of TYPES
    about: str
    unit: str = ""


SCAN = Column("scan", "text", "code of the scan, as in the file names")
COLUMNS: Mapping[str, Sequence[Column]] = {
    "scans": (
        SCAN,
        Column("site", "text", "code of the site"),
        Column("split", "text", "train, validation or test; the side of the site"),
        Column("subject", "text", "pseudonym of the subject; empty where it is not known"),
        Column("modality", "text", "CT, or DX and CR for an X-ray"),
        Column("slices", "whole number", "voxels along k"),
        Column("rows", "whole number", "voxels along j"),
        Column("columns", "whole number", "voxels along i"),
        Column("spacing_k_mm", "number", "distance of two slices", "mm"),
        Column("spacing_j_mm", "number", "distance of two rows", "mm"),
        Column("spacing_i_mm", "number", "distance of two columns", "mm"),
        Column("author", "text", "who labelled it"),
        Column("reviewer", "text", "who approved it"),
        Column("round", "whole number", "number of the review round"),
        Column("verdict", "text", "approved, or corrected by the reviewer"),
        Column("approved_at", "text", "ISO 8601, UTC"),
        Column("age_band", "text", "age of the subject in bands of ten years; empty where it is not known"),
        Column("sex", "text", "female, male or other; empty where it is not known"),
        Column("hospitalisation", "text", "outpatient, inpatient or inpatient_icu; empty where it is not known"),
        Column("diagnosis_class", "text", "class of the site's diagnosis, not of a reader; empty where not known"),
    ),
    "answers": (
        SCAN,
        Column("question", "text", "key of the question in labels.json"),
        Column("answer", "text", "the answer; one row for each of several; true or false; a number with a dot"),
    ),
    "quantities": (
        SCAN,
        Column("layer", "text", "layer of the label schema"),
        Column("segment", "text", "key of the segment in labels.json"),
        Column("value", "whole number", "value of the segment in the label files"),
        Column("voxels", "whole number", "voxels of the segment"),
        Column("amount", "number", "volume of the segment (area on an X-ray)", "as `unit` says"),
        Column("unit", "text", "mL, or cm² on an X-ray"),
        Column(
            "mean_hu", "number", "mean of the image inside the segment; empty without a voxel, and on an X-ray", "HU"
        ),
        Column("lesions", "whole number", "connected parts (26 neighbours; 8 on an X-ray)"),
        Column("largest_lesion", "number", "the largest connected part; empty without a voxel", "as `unit` says"),
        Column("diameter_mm", "number", "longest line within one connected part, between centres of voxels", "mm"),
        Column("weight_g", "number", "sum of volume × (HU + 1000) / 1000; empty on an X-ray", "g"),
    ),
    "lungs": (
        SCAN,
        Column("part", "text", "both lungs, a side, a lobe, or a third of the height where lobes are not known"),
        Column("unit", "text", "mL, or cm² on an X-ray"),
        Column("lung", "number", "amount of lung; empty where the lungs are not known", "as `unit` says"),
        Column("opacity", "number", "amount of opacity; of both also outside of the lungs", "as `unit` says"),
        Column("opacity_percent", "number", "share of the lung; empty where the lungs are not known", "%"),
        Column("grade", "whole number", "0-5 of a lobe (topff2023); empty of any other part"),
        Column("score", "whole number", "0-25, the sum of the grades, with both; empty without lobes"),
        Column("severity", "text", "none, mild, moderate or severe, with both; empty without lobes"),
        Column("weight_g", "number", "of the opacity, with both; empty on an X-ray", "g"),
        Column("lungs_from", "text", "lobes, lungs (a mask), image, or empty"),
        Column("software", "text", "version that measured, when the mask was approved"),
    ),
}


class Writer:
    """The tables, in the order of the scans."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.frozen, self.listing = frozen, listing

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> Any:
        """The rows of one scan, by table."""
        rows: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        rows["lungs"] = _lungs(scan)
        same = ("code", "site", "split", "subject", "modality")
        work = ("author", "reviewer", "round", "verdict", "approved_at")
        numbers = (*scan["shape_zyx"], *map(float, scan["spacing_mm_zyx"]))
        told = scan.get("clinical", {})  # not in releases from before records were kept
        clinical = (told.get(name, "") for name in ("age_band", "sex", "hospitalisation", "diagnosis_class"))
        rows["scans"].append((*map(scan.get, same), *numbers, *map(scan.get, work), *clinical))
        for question, answer in sorted(scan["answers"].items()):
            given = answer if isinstance(answer, list) else [answer]
            rows["answers"] += [(scan["code"], question, _told(one)) for one in given]
        for layer, labels_zyx in clean_zyx.items():
            rows["quantities"] += _quantities(scan, layer_of(self.frozen, layer), labels_zyx, voxels)
        return rows

    def finish(self, told: Sequence[Any]) -> None:
        """The tables, and what each column means."""
        for name, columns in COLUMNS.items():
            rows = [row for one in told for row in one[name]]
            arrays = [
                pyarrow.array([row[index] for row in rows], TYPES[column.type]) for index, column in enumerate(columns)
            ]
            path = self.listing.place("tables", f"{name}.parquet")
            pyarrow.parquet.write_table(pyarrow.table(arrays, names=[column.name for column in columns]), path)
            self.listing.add(path, ROLE)
            text = io.StringIO(newline="")
            writer = csv.writer(text)
            writer.writerow([column.name for column in columns])
            writer.writerows([plain_cell(value) for value in row] for row in rows)
            self.listing.add_text(f"tables/{name}.csv", text.getvalue(), ROLE)
        dictionary = {
            name: [
                {"column": column.name, "type": column.type, "unit": column.unit, "about": column.about}
                for column in columns
            ]
            for name, columns in COLUMNS.items()
        }
        self.listing.add_text("tables/dictionary.json", pretty(dictionary), ROLE)
        self.listing.add_text("croissant.json", pretty(croissant_document(self.frozen, self.listing, dictionary)), ROLE)


def _quantities(
    scan: Mapping[str, Any], layer: Mapping[str, Any], labels_zyx: Labels, voxels: ScanVoxels
) -> list[tuple[Any, ...]]:
    """One row for each segment of the schema, drawn or not."""
    shape_zyx, spacing_mm_zyx = scan["shape_zyx"], scan["spacing_mm_zyx"]
    rows = []
    for segment in layer["segments"]:
        value = int(segment["id"])
        mask = labels_zyx == value
        inside = voxels.hu_zyx[mask]
        lesions, largest, diameter_mm = measure_lesions(mask, spacing_mm_zyx)
        is_ct = scan["modality"] == "CT"
        has_hu = is_ct and inside.size > 0
        rows.append(
            (
                scan["code"],
                layer["name"],
                segment["key"],
                value,
                int(inside.size),
                amount_of(inside.size, shape_zyx, spacing_mm_zyx),
                unit_of(shape_zyx),
                float(inside.mean(dtype=np.float64)) if has_hu else None,
                lesions,
                amount_of(largest, shape_zyx, spacing_mm_zyx) if lesions else None,
                diameter_mm if lesions else None,
                weight_g(mask, cast(HU, voxels.hu_zyx), spacing_mm_zyx) if is_ct else None,
            )
        )
    return rows


def _lungs(scan: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The kept quantities: both lungs, then their parts; nothing for a scan that was not measured at the freeze."""
    kept = scan.get("quantities")
    if not kept:
        return []
    end = (kept["lungs_from"], kept["software"])
    whole = (kept["lungs"], kept["opacity"], kept["percent"], None, kept["score"], kept["severity"], kept["weight_g"])
    rows = [(scan["code"], "both", kept["unit"], *whole, *end)]
    for part in kept["parts"]:
        amounts = (part["lung"], part["opacity"], part["percent"], part["grade"])
        rows.append((scan["code"], part["key"], kept["unit"], *amounts, None, None, None, *end))
    return rows


def _told(answer: Any) -> str:
    return str(answer).lower() if isinstance(answer, bool) else str(answer)
