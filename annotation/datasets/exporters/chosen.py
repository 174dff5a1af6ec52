"""The filters of a release in words: on its page, in its README and in its datasheet."""

from collections.abc import Mapping
from typing import Any

# What each filter leaves out, in the order in which a scan is judged.
FILTERS: Mapping[str, str] = {
    "sites": "of another site",
    "sides": "on another side of the split",
    "approved_from": "approved before the first day",
    "approved_until": "approved after the last day",
    "thickest_mm": "with thicker slices",
    "segments": "without any of the classes",
    "least_agreement": "with less agreement, or read only once",
}


def say_filters(filters: Mapping[str, Any], definition: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of every filter that leaves something out; none: everything approved. `definition` is that of the
    label schema."""
    names = {
        f"{layer['name']}/{segment['key']}": segment["name"]
        for layer in definition["layers"]
        for segment in layer["segments"]
    }
    segments = [names.get(key, key) for key in filters.get("segments") or ()]
    told = (
        ("Sites", ", ".join(filters.get("sites") or ())),
        ("Sides of the split", ", ".join(filters.get("sides") or ())),
        ("Approved from", filters.get("approved_from") or ""),
        ("Approved until", filters.get("approved_until") or ""),
        ("Slices at most", f"{filters['thickest_mm']:g} mm thick" if filters.get("thickest_mm") else ""),
        ("With any of", ", ".join(segments)),
        ("Agreement at least", f"Dice {filters['least_agreement']:g}" if filters.get("least_agreement") else ""),
    )
    return [(name, value) for name, value in told if value]
