"""Quantities as rows of a table: one for each scan and part of the lungs, one for each segment."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotation.reporting.models import Measurement
from annotation.work.schema import parse_schema

HEAD = (
    *("scan", "site", "campaign", "revision", "content_hash", "software", "measured_utc"),
    *("of", "part", "unit", "lung", "opacity", "opacity_percent", "grade", "weight_g", "mean_hu"),
    *("lesions", "largest_lesion", "diameter_mm", "score", "severity", "lungs_from"),
)
ABOUT: Mapping[str, str] = {
    "scan": "code of the scan",
    "site": "code of the site",
    "campaign": "slug of the campaign",
    "revision": "the approved revision of the mask; empty where it was approved as empty",
    "content_hash": "sha256 of the approved labelmap",
    "software": "version that measured",
    "measured_utc": "ISO 8601",
    "of": "whole, part (of the lungs) or segment",
    "part": "both, a side, lobe or third of a lung; or the key of a segment",
    "unit": "of lung, opacity and largest_lesion: mL, or cm² on an X-ray",
    "lung": "amount of lung",
    "opacity": "amount of opacity, or of the segment",
    "opacity_percent": "share of the lung, %",
    "grade": "0-5 of a lobe",
    "weight_g": "volume × (HU + 1000) / 1000",
    "mean_hu": "of the opacity or the segment",
    "lesions": "connected parts (26 neighbours)",
    "largest_lesion": "amount of the largest connected part",
    "diameter_mm": "longest line within a lesion, between centres of voxels",
    "score": "0-25, where lobes are known",
    "severity": "none, mild, moderate, severe",
    "lungs_from": "lobes, lungs (a mask), image, or empty",
}


def rows_of(found: Measurement) -> Iterator[Sequence[Any]]:
    """The rows of one scan, in the order of `HEAD`; empty cells where a column does not apply."""
    values: Mapping[str, Any] = found.values or {}
    keys = {one.id: one.key for one in parse_schema(found.campaign.schema.definition).layer(found.layer).segments}
    told = (
        *(found.scan.code, found.scan.site.code, found.campaign.slug, str(found.revision_id or "")),
        *(found.content_hash, found.software, found.measured_at.isoformat(timespec="seconds")),
    )
    unit = values["unit"]
    yield (
        *(*told, "whole", "both", unit, _cell(values["lungs"]), _cell(values["opacity"]), _cell(values["percent"]), ""),
        *(_cell(values["weight_g"]), _cell(values["mean_hu"]), values["lesions"], ""),
        *(_cell(values["diameter_mm"]), _cell(values["score"]), values["severity"] or "", values["lungs_from"]),
    )
    for part in values["parts"]:
        amounts = (_cell(part["lung"]), _cell(part["opacity"]), _cell(part["percent"]), _cell(part["grade"]))
        yield (*told, "part", part["key"], unit, *amounts, *[""] * 8)
    for one in values["segments"]:
        yield (
            *(*told, "segment", keys.get(one["segment"], str(one["segment"])), unit, "", _cell(one["amount"]), "", ""),
            *("", _cell(one["mean_hu"]), one["lesions"], _cell(one["largest"]), _cell(one["diameter_mm"]), "", "", ""),
        )


def _cell(value: float | None) -> Any:
    """A number to six significant digits."""
    return "" if value is None else value if isinstance(value, int) else float(f"{value:.6g}")
