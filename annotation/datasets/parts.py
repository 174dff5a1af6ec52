"""Partial exports: the scans of some sides and sites, as a list of its own that says what it is a part of."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from annotation.datasets.exporters.manifest import SIDES, manifest_hash
from voxloop.kernel.canonical import canonical_json
from voxloop.kernel.errors import Invalid

Part = Mapping[str, Sequence[str]]  # sides and sites; an empty one: all


def choose_part(frozen: Mapping[str, Any], sides: Sequence[str], sites: Sequence[str]) -> dict[str, list[str]] | None:
    """What is kept with an export; None when it leaves nothing out. Raises Invalid (`unknown_side`, `unknown_site`,
    `part_empty`)."""
    if unknown := set(sides) - set(SIDES):
        raise Invalid(f"There is no side {min(unknown)}; choose of {', '.join(SIDES)}.", code="unknown_side")
    if unknown := set(sites) - {scan["site"] for scan in frozen["scans"]}:
        raise Invalid(f"The release holds no scan of a site {min(unknown)}; leave it out.", code="unknown_site")
    part = {"sides": [side for side in SIDES if side in sides], "sites": sorted(set(sites))}
    inside = scans_in(frozen, part)
    if not inside:
        raise Invalid("No scan of the release is on these sides and of these sites; choose others.", code="part_empty")
    return part if len(inside) < len(frozen["scans"]) else None


def scans_in(frozen: Mapping[str, Any], part: Part | None) -> list[Any]:
    """The scans of a list that are in a part of it."""
    if part is None:
        return list(frozen["scans"])
    return [
        scan
        for scan in frozen["scans"]
        if (not part["sides"] or scan["split"] in part["sides"])
        and (not part["sites"] or scan["site"] in part["sites"])
    ]


def list_of(frozen: Mapping[str, Any], part: Part | None) -> Mapping[str, Any]:
    """The list that is exported: the frozen one, or of a part its scans only. A part has a hash of its own, is named as
    one, and names the hash of the whole."""
    if part is None:
        return frozen
    scans = scans_in(frozen, part)
    drawn = {layer for scan in scans for layer in scan["layers"]}
    whole = frozen["release"]
    told = {**part, "scans": len(scans), "of": len(frozen["scans"]), "manifest_hash": manifest_hash(frozen)}
    return {
        **frozen,
        "release": {**whole, "name": f"{whole['name']} ({say_part(part)})", "part": told},
        "layers": [layer for layer in frozen["layers"] if layer in drawn],
        "scans": scans,
    }


def say_part(part: Part) -> str:
    """A part in words: `part: train, sites a and b`."""
    sides, sites = list(part["sides"]), list(part["sites"])
    told = sides + ([f"site{'s' * (len(sites) > 1)} {' and '.join(sites)}"] if sites else [])
    return f"part: {', '.join(told)}"


def suffix_of(part: Part | None) -> str:
    """What the folder of a part is called after the name of the release."""
    return "" if part is None else f"-part-{sha256(canonical_json(dict(part))).hexdigest()[:8]}"
