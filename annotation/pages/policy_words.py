"""The policies of a campaign in the order of their page: groups, when each counts from, and what cannot change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from annotation.work.models import Campaign

SHARES = ("blank", "older", "repeat", "overlap", "gold", "planted")


@dataclass(frozen=True)
class Group:
    """Policies that belong together. `counts` says what a change still reaches once work exists."""

    title: str
    counts: str
    fields: Sequence[str]


GROUPS = (
    Group(
        "The campaign",
        "Counts at once.",
        ("name", "planned_scans", "planned_until", "guidelines", "certify_again", "certify_why"),
    ),
    Group(
        "Batches",
        "Counts for batches that are made from now on; an open scan is held so long from its next sign of work on.",
        ("batch_size", "due_days", "lease_minutes"),
    ),
    Group(
        "Reading",
        "Counts for what is handed in from now on.",
        ("seen_policy", "proposed_policy"),
    ),
    Group(
        "How scans begin, and who reads them twice",
        "Counts for scans that nobody has begun; readings that are under way stay as they were given out.",
        (
            *("blank_percent", "older_percent", "repeat_percent"),
            *("overlap_percent", "overlap_readers", "overlap_low_dice", "overlap_most"),
        ),
    ),
    Group(
        "Gold scans and certification",
        "Counts for batches that are made from now on; who has passed stays certified until the guidelines ask again.",
        ("gold_percent", "certifies", "certification_dice"),
    ),
    Group(
        "Review",
        "Counts for batches that are made, and verdicts that are signed, from now on.",
        ("review_policy", "signature_policy", "planted_percent"),
    ),
    Group(
        "Learning",
        "Counts for the next training; a training that runs ends as it began.",
        ("retrain_after", "retrain_every_days", "train_start", "promotes_by_itself"),
    ),
)


def default_of(name: str) -> str:
    """The default of a policy, as its field shows it; empty where there is none."""
    is_percent = name.endswith("_percent")
    field: Any = Campaign._meta.get_field(f"{name.removesuffix('_percent')}_share" if is_percent else name)
    if not field.has_default():
        return ""
    value: Any = field.get_default()
    if is_percent:
        return f"{round(100 * value)} %"
    if isinstance(value, bool):
        return "on" if value else "off"
    if field.choices:
        return str(dict(field.flatchoices)[value])
    return f"{value:g}"


def add_defaults(form: forms.Form) -> None:
    """Let the sentence at each policy end with its default."""
    for group in GROUPS[1:]:
        for name in group.fields:
            field = form.fields[name]
            field.help_text = f"{field.help_text} Default: {default_of(name)}.".strip()


@dataclass(frozen=True)
class Fixed:
    """What cannot be changed, and why."""

    title: str
    value: str
    why: str


def fixed_of(campaign: Campaign, *, has_scans: bool, has_models: bool) -> list[Fixed]:
    """What the page shows without a field."""
    found = [
        Fixed("Short name", campaign.slug, "addresses carry it, and folders of releases are named by it"),
        Fixed(
            "Training profile",
            campaign.train_profile,
            "models of two profiles cannot be compared" if has_models else "it is set where the campaign is made",
        ),
    ]
    if has_scans:
        found.append(Fixed("Codes of patients", "set", "scans are stored under them, and would be counted twice"))
    return found
