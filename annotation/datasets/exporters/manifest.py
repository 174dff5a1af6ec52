"""The documents of a release: content, provenance, how to read it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from annotation.datasets.exporters.choices import BY_KEY
from annotation.datasets.exporters.chosen import say_filters
from annotation.datasets.exporters.listing import Frozen
from annotation.datasets.licences import address_of
from annotation.datasets.verify import FORMAT
from voxloop.kernel.canonical import canonical_hash
from voxloop.volume.amounts import amount_of, unit_of

SIDES = ("train", "validation", "test")


def manifest_hash(frozen: Frozen) -> str:
    """sha256 (hex) of the canonical JSON of the frozen list: the name of a release's content."""
    return canonical_hash(frozen)


def folder_of(kind: str, layer: str, frozen: Frozen) -> str:
    """`labels`, `erased` or `dicom-seg` for the main layer of the schema, `labels-anatomy` … for the others."""
    return kind if layer == main_layer(frozen)["name"] else f"{kind}-{layer}"


def main_layer(frozen: Frozen) -> Mapping[str, Any]:
    """The first layer that people draw on."""
    found: Mapping[str, Any] = next(
        layer for layer in frozen["schema"]["definition"]["layers"] if layer.get("editable", True)
    )
    return found


def layer_of(frozen: Frozen, name: str) -> Mapping[str, Any]:
    """A layer of the release's schema."""
    found: Mapping[str, Any] = next(
        layer for layer in frozen["schema"]["definition"]["layers"] if layer["name"] == name
    )
    return found


def manifest_document(frozen: Frozen, files: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`manifest.json`: the frozen list as it is in the database, its hash, and every file of this export."""
    return {"format": FORMAT, "manifest_hash": manifest_hash(frozen), "frozen": frozen, "files": list(files)}


def labels_document(frozen: Frozen) -> dict[str, Any]:
    """`labels.json`: the label schema, with the number that each segment has in the DICOM segmentations."""
    layers = []
    for layer in frozen["schema"]["definition"]["layers"]:
        ordered = sorted(layer["segments"], key=lambda segment: int(segment["id"]))
        numbered = [{**segment, "dicom_segment_number": n} for n, segment in enumerate(ordered, start=1)]
        layers.append({**layer, "segments": numbered})
    schema = frozen["schema"]
    return {
        "name": schema["name"],
        "version": schema["version"],
        "layers": layers,
        "questions": schema["definition"].get("questions", []),
    }


def dataset_document(frozen: Frozen) -> dict[str, Any]:
    """`dataset.json`, read by MONAI (three lists) and, where the values have no gap, by nnU-Net v2 (`dataset`: the
    training side only); it refuses gaps, and `exporters.nnunet` is the form without them."""
    layer = main_layer(frozen)
    labels = {"background": 0} | {segment["key"]: int(segment["id"]) for segment in layer["segments"]}
    sides: dict[str, list[dict[str, str]]] = {side: [] for side in SIDES}
    for scan in frozen["scans"]:
        if layer["name"] in scan["layers"]:
            name = f"{scan['code']}.nii.gz"
            sides[scan["split"]].append({"image": f"images/{name}", "label": f"labels/{name}"})
    cases = {
        row["image"].removeprefix("images/").removesuffix(".nii.gz"): {"images": [row["image"]], "label": row["label"]}
        for row in sides["train"]
    }
    has_gaps = sorted(labels.values()) != list(range(len(labels)))
    return {
        "name": frozen["release"]["name"],
        "description": f"{frozen['campaign']['name']}, layer {layer['name']}",
        "licence": frozen["release"]["licence"],
        "note": frozen["release"].get("notes", ""),
        "channel_names": {"0": channel_of(frozen)},
        "labels": labels,
        "file_ending": ".nii.gz",
        "numTraining": len(cases),
        "training": sides["train"],
        "validation": sides["validation"],
        "test": sides["test"],
        **({} if has_gaps else {"dataset": cases}),
    }


def channel_of(frozen: Frozen) -> str:
    """nnU-Net's channel name: "CT" is scaled by the HU of the whole dataset, everything else per image."""
    if not _has_planar(frozen):
        return "CT"
    return "image" if _has_ct(frozen) else "X-ray"


def sums_document(files: Mapping[str, str]) -> str:
    """`SHA256SUMS`, as `sha256sum -c` reads it, from path → sha256."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(files.items()))


def readme_document(frozen: Frozen, formats: Iterable[str] = ()) -> str:
    """`README.md` of the dataset: what is in it, how much, where it comes from, how to check it."""
    release, scans = frozen["release"], frozen["scans"]
    parts = [
        f"# {frozen['campaign']['name']}: {release['name']}",
        _part(release),
        release["notes"],
        f"{len(scans)} scan{'s' * (len(scans) != 1)}, labelled and approved; frozen on {release['frozen_at'][:10]} with"
        " Voxloop"
        f" {frozen['software']}. Manifest `{manifest_hash(frozen)}`.",
        _licence(release["licence"]),
        "## What is where\n" + _contents(frozen, formats),
        "## Scans\nThe split is by site: no site is on two sides.\n\n" + _scan_table(scans),
        _chosen(frozen),
        "## Segments\n" + _segment_tables(frozen),
        "## Where it comes from\n" + _provenance(scans),
        "## How to check it\n`python3 verify.py .` (needs numpy and nibabel) proves that every file is the exported"
        " one, nothing was added, every\nmask is the approved one and lies on the grid of its image, and no site is on"
        " two sides. `sha256sum -c SHA256SUMS`\nchecks the files alone. `--key KEY.pem` (needs cryptography, too)"
        " proves who signed it; take the key from the signer,\nnot from this folder.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _part(release: Mapping[str, Any]) -> str:
    """What a partial export says first."""
    part = release.get("part")
    if not part:
        return ""
    return (
        f"**This is a part of a release:** {part['scans']} of its {part['of']} scans. The whole has the manifest "
        f"`{part['manifest_hash']}`; counts below are of this part."
    )


def _licence(text: str) -> str:
    if "\n" in text:
        return f"## Licence\n{text}"
    at = address_of(text)
    return f"**Licence:** {text or 'not stated; ask the owner before any use.'}" + (f" ({at})" if at else "")


def _chosen(frozen: Frozen) -> str:
    filters = say_filters(frozen["release"].get("filters") or {}, frozen["schema"]["definition"])
    if not filters:
        return ""
    return "## How the scans were chosen\nOf the approved scans those that fit all of this:\n\n" + "\n".join(
        f"- {name}: {value}" for name, value in filters
    )


def _contents(frozen: Frozen, formats: Iterable[str]) -> str:
    ct, planar = _has_ct(frozen), _has_planar(frozen)
    values = ["int16, HU of a CT"] * ct + ["uint16 of an X-ray, bright = dense"] * planar
    rows = [("`images/CODE.nii.gz`", f"the scan ({'; '.join(values)}), NIfTI-1, RAS")]
    for layer in _layers(frozen):
        name = layer["title"].lower()
        rows += [
            (
                f"`{folder_of('labels', layer['name'], frozen)}/CODE.nii.gz`",
                f"{name}: uint8 on the grid of the image, 0 = background; an empty mask was confirmed empty",
            ),
            (
                f"`{folder_of('erased', layer['name'], frozen)}/CODE.nii.gz`",
                "1 where a reader removed a proposed voxel; only where there are any",
            ),
        ]
        if ct:
            only = "; CT only, a projection has no frame of reference" if planar else ""
            subfolder = folder_of("dicom-seg", layer["name"], frozen)
            rows.append((f"`{subfolder}/CODE.dcm`", f"{name}: the same as DICOM segmentation{only}"))
    chosen = [BY_KEY[key] for key in formats if key in BY_KEY]
    rows += [row for choice in chosen if ct or not choice.is_ct_only for row in choice.contents]
    rows += [
        ("`labels.json`", "the label schema: values, names, coded terms, questions"),
        ("`dataset.json`", _lists(frozen)),
        ("`manifest.json`", "per scan: site, split, author, reviewer, answers, what the work began from, hashes"),
        ("`SHA256SUMS`, `verify.py`, `signature.py`", "to check all of it, offline"),
        (
            "`SHA256SUMS.sig`, `SHA256SUMS.pem`",
            "Ed25519 signature of `SHA256SUMS` and its public key, where it is signed",
        ),
    ]
    return _table(("path", "what"), rows)


def _lists(frozen: Frozen) -> str:
    if "dataset" in dataset_document(frozen):
        return "the lists that nnU-Net and MONAI read"
    return "the lists that MONAI reads; nnU-Net takes no values with gaps, an export for it has others"


def _scan_table(scans: Iterable[Mapping[str, Any]]) -> str:
    per_site: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for scan in scans:
        row = per_site[SIDES.index(scan["split"]), scan["site"]]
        row["scans"] += 1
        row["empty"] += all(layer["is_empty"] for layer in scan["layers"].values())
    rows = [(SIDES[side], site, n["scans"], n["empty"]) for (side, site), n in sorted(per_site.items())]
    for side in SIDES:
        of_side = [row for row in rows if row[0] == side]
        if len(of_side) > 1:
            rows.append((side, "**all**", sum(row[2] for row in of_side), sum(row[3] for row in of_side)))
    return _table(("split", "site", "scans", "confirmed empty"), rows)


def _segment_tables(frozen: Frozen) -> str:
    tables = []
    units = ["mL"] * _has_ct(frozen) + ["cm²"] * _has_planar(frozen)
    for layer in _layers(frozen):
        rows = []
        for segment in layer["segments"]:
            found, marked = Counter[str](), defaultdict[str, float](float)
            for scan in frozen["scans"]:
                voxels = scan["layers"].get(layer["name"], {}).get("voxel_counts", {}).get(str(segment["id"]), 0)
                found[scan["split"]] += voxels > 0
                shape_zyx, spacing_mm_zyx = scan["shape_zyx"], scan["spacing_mm_zyx"]
                marked[unit_of(shape_zyx)] += amount_of(voxels, shape_zyx, spacing_mm_zyx)
            sums = (f"{marked[unit]:.1f}" for unit in units)
            rows.append((segment["id"], segment["name"], *(found[side] for side in SIDES), *sums))
        header = (
            "value",
            layer["title"].lower(),
            *(f"scans, {side}" for side in SIDES),
            *(f"{u} in all" for u in units),
        )
        tables.append(_table(header, rows))
    return "\n\n".join(tables)


def _provenance(scans: Iterable[Mapping[str, Any]]) -> str:
    counts = Counter(_began_from(scan) for scan in scans)
    authors = Counter(scan["author"] for scan in scans)
    reviewers = Counter(scan["reviewer"] for scan in scans)
    return "\n".join(
        [
            "- The work began from: " + ", ".join(f"{what} ({n})" for what, n in sorted(counts.items())) + ".",
            "- Drawn by: " + ", ".join(f"{who} ({n})" for who, n in sorted(authors.items())) + ".",
            "- Approved by: "
            + ", ".join(f"{who} ({n})" for who, n in sorted(reviewers.items()))
            + ". Nobody approved their own work.",
        ]
    )


def _began_from(scan: Mapping[str, Any]) -> str:
    names = {layer["start"]["model"] or layer["start"]["kind"] for layer in scan["layers"].values()}
    return " and ".join(sorted(names))


def _has_ct(frozen: Frozen) -> bool:
    return any(scan["modality"] == "CT" for scan in frozen["scans"])


def _has_planar(frozen: Frozen) -> bool:
    return any(scan["modality"] != "CT" for scan in frozen["scans"])


def _layers(frozen: Frozen) -> list[Mapping[str, Any]]:
    return [layer for layer in frozen["schema"]["definition"]["layers"] if layer["name"] in frozen["layers"]]


def _table(header: tuple[Any, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
