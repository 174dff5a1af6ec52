"""Names as the Brain Imaging Data Structure has them, with its descriptions (BIDS 1.10).

BIDS knows no CT yet: folder and suffix are those of its proposal BEP024 (`ct`), X-rays follow them as `dx`, and
`.bidsignore` says so to validators. Masks are a derivative: discrete segmentations with a table of their values."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from annotation.datasets.exporters.listing import Frozen, Labels, Listing, ScanVoxels, pretty
from annotation.datasets.exporters.manifest import folder_of, layer_of
from voxloop.kernel.cells import plain_cell

ROLE, VERSION, DERIVATIVE = "bids", "1.10.0", "derivatives/voxloop"
MISSING = "n/a"
# Of the sidecar of an image: BIDS's words for what the scanner told.
SIDECAR = {
    "manufacturer": "Manufacturer",
    "model": "ManufacturersModelName",
    "kernel": "ConvolutionKernel",
    "slice_thickness_mm": "SliceThickness",
    "kvp": "XRayTubeVoltage",
}
PARTICIPANTS: Mapping[str, Mapping[str, Any]] = {
    "site": {"Description": "Code of the site"},
    "split": {"Description": "Side of the split, by site", "Levels": {n: n for n in ("train", "validation", "test")}},
    "sex": {"Description": "Sex as the site told it", "Levels": {n: n for n in ("female", "male", "other")}},
    "age_band": {"Description": "Age in bands of ten years"},
}


class Writer:
    """Images under the names of BIDS, and every layer as a derivative."""

    def __init__(self, frozen: Frozen, listing: Listing) -> None:
        self.frozen, self.listing = frozen, listing
        self.subjects = name_subjects(frozen["scans"])
        self.stems = _name_scans(frozen["scans"], self.subjects)

    def add(self, scan: Mapping[str, Any], voxels: ScanVoxels, clean_zyx: Mapping[str, Labels]) -> None:
        """The files of `images/` and `labels/` again, and what is known of how the image was made."""
        code, kind = scan["code"], "ct" if scan["modality"] == "CT" else "dx"
        stem = self.stems[code]
        folder = f"{stem.partition('_')[0]}/{kind}"
        image = self.listing.place(f"bids/{folder}", f"{stem}_{kind}.nii.gz")
        self.listing.add_copy(self.listing.folder / "images" / f"{code}.nii.gz", image, ROLE, code)
        told = {name: scan.get("scanner", {}).get(key) for key, name in SIDECAR.items()}
        sidecar = {"Modality": scan["modality"], **{name: value for name, value in told.items() if value is not None}}
        self._text(f"bids/{folder}/{stem}_{kind}.json", pretty(sidecar), code)
        for layer in clean_zyx:
            label = self.listing.place(f"bids/{DERIVATIVE}/{folder}", f"{stem}_desc-{_label(layer)}_dseg.nii.gz")
            source = self.listing.folder / folder_of("labels", layer, self.frozen) / f"{code}.nii.gz"
            self.listing.add_copy(source, label, ROLE, code)

    def finish(self, told: Sequence[Any]) -> None:
        """Descriptions, participants, and the values of the masks."""
        release = self.frozen["release"]
        name = f"{self.frozen['campaign']['name']}: {release['name']}"
        made = [{"Name": "Voxloop", "Version": self.frozen["software"]}]
        common = {"BIDSVersion": VERSION, "License": release["licence"] or "not stated", "GeneratedBy": made}
        self._text("bids/dataset_description.json", pretty({"Name": name, "DatasetType": "raw", **common}))
        masks = {"Name": f"{name}, masks", "DatasetType": "derivative", **common}
        self._text(f"bids/{DERIVATIVE}/dataset_description.json", pretty(masks))
        for folder in ("bids", f"bids/{DERIVATIVE}"):
            self._text(f"{folder}/README.md", f"# {name}\n\n{release['notes'] or _about(self.frozen)}\n\n{ABOUT}\n")
            self._text(f"{folder}/.bidsignore", IGNORED)
        self._text("bids/participants.tsv", _tsv(self._participants()))
        self._text("bids/participants.json", pretty(PARTICIPANTS))
        for layer in self.frozen["layers"]:
            segments = sorted(layer_of(self.frozen, layer)["segments"], key=lambda segment: int(segment["id"]))
            rows = [(segment["id"], segment["key"], segment["colour"]) for segment in segments]
            table = _tsv([("index", "name", "color"), (0, "background", MISSING), *rows])
            self._text(f"bids/{DERIVATIVE}/desc-{_label(layer)}_dseg.tsv", table)

    def _participants(self) -> list[Sequence[Any]]:
        rows: dict[str, Sequence[Any]] = {}
        for scan in self.frozen["scans"]:
            clinical = scan.get("clinical", {})
            facts = (scan["site"], scan["split"], clinical.get("sex"), clinical.get("age_band"))
            rows[self.subjects[_who(scan)]] = tuple(fact or MISSING for fact in facts)
        return [("participant_id", *PARTICIPANTS), *((name, *facts) for name, facts in sorted(rows.items()))]

    def _text(self, name: str, text: str, scan: str | None = None) -> None:
        path = self.listing.place(name.rpartition("/")[0], name.rpartition("/")[2])
        path.write_text(text, "utf-8")
        self.listing.add(path, ROLE, scan)


# Without a slash at the end, which bids-validator 3.0 would take for files only.
IGNORED = "**/ct\n**/dx\n*_dseg.tsv\n"
ABOUT = (
    "CT is not part of BIDS yet; names follow its proposal BEP024. Masks are in `derivatives/voxloop`, on the grid of "
    "their image. `manifest.json` of the release tells the code of each scan."
)


def _about(frozen: Frozen) -> str:
    return f"{len(frozen['scans'])} scans with masks that were drawn and approved by people."


def name_subjects(scans: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """`sub-…` of every subject, by site and pseudonym: letters and digits only, and never one name for two."""
    names: dict[tuple[str, str], str] = {}
    for scan in scans:
        who = _who(scan)
        if who in names:
            continue
        name = f"sub-{_label(''.join(who))}"
        taken = sum(other == name or other.startswith(f"{name}x") for other in names.values())
        names[who] = f"{name}x{taken + 1}" if taken else name
    return names


def _name_scans(scans: Sequence[Mapping[str, Any]], subjects: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """The beginning of each scan's file names: `sub-…`, with `_run-…` where a subject has several scans."""
    several = Counter(_who(scan) for scan in scans)
    runs = Counter[tuple[str, str]]()
    stems = {}
    for scan in scans:
        who = _who(scan)
        runs[who] += 1
        stems[scan["code"]] = subjects[who] + (f"_run-{runs[who]}" if several[who] > 1 else "")
    return stems


def _who(scan: Mapping[str, Any]) -> tuple[str, str]:
    return scan["site"], scan["subject"] or scan["code"]


def _label(text: str) -> str:
    """A label of BIDS: letters and digits. Upper case is kept."""
    return "".join(sign for sign in text if sign.isascii() and sign.isalnum()) or "x"


def _tsv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows([plain_cell(cell) for cell in row] for row in rows)
    return text.getvalue()
