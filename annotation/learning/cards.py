"""The card of a model version: what it learned from, how it was measured, what it cannot do. Written from what is
stored, never by hand; without names of people, so that it can go with the model."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from annotation.learning.history import list_decisions
from annotation.learning.models import ModelVersion
from annotation.learning.selectors import BROUGHT, count_ended_scans
from mlservice.contract import GatePolicy

FORM, VERSION = "voxloop model card", 1
TRAINED = ("profile", "network", "steps", "batch", "patch_zyx", "spacing_mm_zyx", "grid_px", "loss", "precision")
TRAINED_ELSEWHERE = ("network", "patch_zyx", "spacing_mm_zyx", "grid_px")
FEW_FOUND = 0.5
BROUGHT_LIMITS = (
    "It reads CT in Hounsfield units only.",
    "It was made elsewhere and brought here: what it learned from is not known, and the hold-out may be among it.",
)


def write_card(model: ModelVersion) -> dict[str, Any]:
    """The card as plain JSON values."""
    run, manifest = model.run, model.run.manifest
    config: Mapping[str, Any] = model.config.get("config", {})
    figures: Mapping[str, Any] = model.metrics if isinstance(model.metrics, dict) else {}
    gate: Mapping[str, Any] = run.gate if isinstance(run.gate, dict) else {}
    results: Mapping[str, Any] = run.results or {}
    card = {
        "form": FORM,
        "version": VERSION,
        "name": str(model),
        "campaign": model.campaign.name,
        "state": model.state,
        "is_brought": run.trigger == BROUGHT,
        "made": model.created_at.isoformat(timespec="seconds"),
        "use": "Proposes masks of findings in chest scans to a reader, who corrects them. It is no medical device.",
        "data": {
            "manifest_sha256": run.manifest_hash,
            "layer": manifest.get("layer", ""),
            "marks": [each["key"] for each in config.get("classes", [])],
            "schema_segments": [each["key"] for each in manifest.get("segments", [])],
            "sites": _sites(manifest),
            "no_longer_to_be_used": count_ended_scans(model),
        },
        "training": {
            **{name: config[name] for name in _told(config) if name in config},
            "seed": run.seed,
            "parameters": results.get("parameters"),
            "seconds": results.get("seconds"),
            "device": results.get("device"),
            "code": manifest.get("code", ""),
            "weights_sha256": model.config.get("weights_sha256", ""),
            "versions": model.config.get("versions", {}),
        },
        "figures": {
            **{name: figures.get(name) for name in ("mean_dice", "dice_interval", "scored", "empty", "invented")},
            "scans": len(figures.get("scans", [])),
            "false_positive_ml_on_empty": figures.get("false_positive_ml_on_empty"),
            "volume_pearson_r": figures.get("volume_pearson_r"),
            "sites": figures.get("sites", []),
            "sizes": figures.get("sizes", []),
        },
        "gate": {
            "verdict": gate.get("verdict", ""),
            "rules": [
                {"key": rule["key"], "outcome": rule["outcome"], "sentence": rule["sentence"]}
                for rule in gate.get("rules", [])
            ],
            "policy": gate.get("policy", {}),
        },
        "decisions": _decisions(model),
    }
    return {**card, "limits": _limits(card)}


def _decisions(model: ModelVersion) -> list[dict[str, str]]:
    """What was decided about it, without names of people."""
    return [
        {
            "at": each.at.isoformat(timespec="seconds"),
            "by": "a coordinator" if each.by else "the gate",
            "what": each.what,
            "why": each.why,
        }
        for each in list_decisions(model)
    ]


def _told(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of the configuration that mean something: an ONNX file does not say how it was trained."""
    return TRAINED_ELSEWHERE if str(config.get("network", "")).startswith("onnx") else TRAINED


def _sites(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Scans by site and side, and how many of them have no finding."""
    items = manifest.get("items", [])
    scans = Counter((item["site"], item["split"]) for item in items)
    empty = Counter((item["site"], item["split"]) for item in items if not item.get("revision"))
    return [
        {"site": site, "side": side, "scans": count, "without_mask": empty[site, side]}
        for (site, side), count in sorted(scans.items())
    ]


def _limits(card: Mapping[str, Any]) -> list[str]:
    """What the model cannot do or was not shown to do, in sentences."""
    data, figures = card["data"], card["figures"]
    if card["is_brought"]:
        return [*BROUGHT_LIMITS, *_measured_limits(figures, card["gate"]["policy"])]
    learned = [site["site"] for site in data["sites"] if site["side"] == "train"]
    said = ["It reads CT in Hounsfield units only."]
    if learned:
        said.append(f"It learned from site{_s(learned)} {', '.join(learned)} only; other scanners may look different.")
    if unmarked := sorted(set(data["schema_segments"]) - set(data["marks"])):
        said.append(f"It never marks {', '.join(unmarked)}: too little of it was labelled.")
    said += _measured_limits(figures, card["gate"]["policy"])
    ended = data["no_longer_to_be_used"]
    if ended:
        count = sum(ended.values())
        words = f"{count} scans that it learned from are" if count != 1 else "1 scan that it learned from is"
        said.append(f"{words} no longer to be used.")
    return said


def _measured_limits(figures: Mapping[str, Any], policy: Mapping[str, Any]) -> list[str]:
    said = []
    least = policy.get("least_scored", GatePolicy().least_scored)
    scored, empty = figures["scored"] or 0, figures["empty"] or 0
    if scored == 0:
        said.append("Its Dice was never measured: no hold-out scan has a reference of 1,000 voxels or more.")
    elif scored < least:
        said.append(f"Its Dice rests on {scored} hold-out scan{'' if scored == 1 else 's'}: take it as a hint.")
    if empty == 0:
        said.append("What it marks on a scan without findings was not measured.")
    elif figures["false_positive_ml_on_empty"]:
        said.append(f"It marks {figures['false_positive_ml_on_empty']:.1f} mL on average on scans without findings.")
    for size in figures["sizes"]:
        if size["found"] / size["lesions"] < FEW_FOUND:
            upper = f"to {size['high_ml']:g}" if size["high_ml"] else "and more"
            said.append(f"Findings of {size['low_ml']:g} {upper} mL: it finds {size['found']} of {size['lesions']}.")
    sites = [site for site in figures["sites"] if site["mean_dice"] is not None]
    if len(sites) > 1:
        worst = min(sites, key=lambda site: site["mean_dice"])
        said.append(f"It is weakest at site {worst['site']}: mean Dice {worst['mean_dice']:.2f}.")
    return said


def _s(things: list[str]) -> str:
    return "" if len(things) == 1 else "s"


def to_markdown(card: Mapping[str, Any]) -> str:
    """The card for people, as Markdown."""
    data, figures = card["data"], card["figures"]
    lines = [f"# Model {card['name']} of {_plain(card['campaign'])}", "", card["use"], ""]
    lines += [f"Made {card['made']}, now {card['state']}.", "", "## Limits"]
    lines += [f"- {sentence}" for sentence in card["limits"]]
    lines += ["", "## Data", "| site | side | scans | without a mask |", "| --- | --- | ---: | ---: |"]
    lines += [f"| {row['site']} | {row['side']} | {row['scans']} | {row['without_mask']} |" for row in data["sites"]]
    lines += ["", f"It marks: {', '.join(data['marks']) or 'nothing'}. Frozen list: sha256 {data['manifest_sha256']}."]
    lines += ["", "## Figures on the hold-out", "| | |", "| --- | ---: |"]
    lines += [f"| {name} | {value} |" for name, value in _figure_rows(figures)]
    lines += ["", "| site | scans | mean Dice | mL on empty scans |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {row['site']} | {row['scans']} | {_number(row['mean_dice'])} "
        f"| {_number(row['false_positive_ml_on_empty'], 1)} |"
        for row in figures["sites"]
    ]
    lines += ["", "| findings of mL | number | found | share of voxels |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {row['low_ml']:g} to {_upper(row['high_ml'])} | {row['lesions']} | {row['found']} | {row['marked']:.2f} |"
        for row in figures["sizes"]
    ]
    lines += ["", f"## Gate: {card['gate']['verdict'].replace('_', ' ') or 'not judged'}"]
    lines += [f"- {rule['key']}, {rule['outcome']}: {rule['sentence']}" for rule in card["gate"]["rules"]]
    lines += ["", "## Decisions"]
    lines += [
        f"- {row['at']}, {row['by']}: {row['what'].lower()}. {_plain(row['why'])}".rstrip() for row in card["decisions"]
    ]
    lines += ["", "## Training"]
    lines += [f"- {name}: {value}" for name, value in card["training"].items() if value not in (None, "", {})]
    return "\n".join(lines) + "\n"


def _figure_rows(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    interval = figures["dice_interval"]
    spread = f" (95 % {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    return [
        ("mean Dice", f"{_number(figures['mean_dice'])}{spread}"),
        ("scans, scored, empty", f"{figures['scans']}, {figures['scored'] or 0}, {figures['empty'] or 0}"),
        ("mL on empty scans", _number(figures["false_positive_ml_on_empty"], 1)),
        ("volume, r", _number(figures["volume_pearson_r"], 2)),
        ("marks that touch no finding", str(figures["invented"] if figures["invented"] is not None else "—")),
    ]


def _number(value: float | None, places: int = 3) -> str:
    return "—" if value is None else f"{value:.{places}f}"


def _upper(high_ml: float | None) -> str:
    return "∞" if high_ml is None else f"{high_ml:g}"


def _plain(text: str) -> str:
    """Text of people on one line, without Markdown's own marks."""
    return " ".join("".join(" " if sign in "|#*_`<>[]" else sign for sign in text).split())
