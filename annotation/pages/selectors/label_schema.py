"""The page of a label schema: each row of the form with what holds it in place, and the versions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from annotation.pages.schema_draft import Draft, DraftLayer, DraftQuestion
from annotation.work.models import Campaign, LabelSchema
from annotation.work.schema_changing import versions_of
from annotation.work.schema_uses import Uses
from voxloop.audit.models import AuditEntry


@dataclass(frozen=True)
class RowOf:
    """A row of the form: its fields begin with `at`, its buttons name `to`; `held` says what uses it, if anything."""

    at: str
    to: str
    one: Any
    held: str = ""
    is_first: bool = False
    is_last: bool = False
    rows: "Sequence[RowOf]" = ()
    earlier: Sequence[tuple[str, str]] = ()  # questions that it may depend on: key, text
    answers: Sequence[tuple[str, str, bool]] = ()  # of that question: value, label, whether it shows this one

    @property
    def shown(self) -> str:
        """The answers that show the question, with | between them."""
        return "|".join(value for value, _, is_on in self.answers if is_on)


@dataclass(frozen=True)
class Version:
    """One version of a schema, with who saved it and what it changed."""

    schema: LabelSchema
    at: datetime
    who: str = ""
    changes: Sequence[str] = field(default_factory=list)


def layer_rows(draft: Draft, uses: Uses) -> list[RowOf]:
    """The layers with their segments."""
    return [
        RowOf(
            at=f"l-{n}",
            to=str(n),
            one=layer,
            held=_and(uses.layers.get(layer.name, [])),
            is_first=n == 0,
            is_last=n == len(draft.layers) - 1,
            rows=_segment_rows(n, layer, uses),
        )
        for n, layer in enumerate(draft.layers)
    ]


def _segment_rows(n: int, layer: DraftLayer, uses: Uses) -> list[RowOf]:
    found = []
    for m, segment in enumerate(layer.segments):
        value = int(segment.value) if segment.value.isdecimal() and len(segment.value) < 4 else 0
        held = _and(uses.segments.get((layer.name, value), []))
        found.append(
            RowOf(f"s-{n}-{m}", f"{n}:{m}", segment, held, is_first=m == 0, is_last=m == len(layer.segments) - 1)
        )
    return found


def question_rows(draft: Draft, uses: Uses) -> list[RowOf]:
    """The questions with their choices."""
    found = []
    for n, question in enumerate(draft.questions):
        before = [one for one in draft.questions[:n] if one.key and (one.chooses or one.kind == "boolean")]
        on = next((one for one in before if one.key == question.when), None)
        found.append(
            RowOf(
                at=f"q-{n}",
                to=str(n),
                one=question,
                held=_and(uses.questions.get(question.key, [])),
                is_first=n == 0,
                is_last=n == len(draft.questions) - 1,
                rows=_option_rows(n, question, uses),
                earlier=[(one.key, one.text) for one in before],
                answers=[(value, label, value in question.answers) for value, label in _answers_of(on)],
            )
        )
    return found


def _option_rows(n: int, question: DraftQuestion, uses: Uses) -> list[RowOf]:
    return [
        RowOf(
            at=f"o-{n}-{m}",
            to=f"{n}:{m}",
            one=option,
            held=_and(uses.choices.get((question.key, option.value), [])),
            is_first=m == 0,
            is_last=m == len(question.options) - 1,
        )
        for m, option in enumerate(question.options)
    ]


def _answers_of(question: DraftQuestion | None) -> list[tuple[str, str]]:
    if question is None:
        return []
    if question.kind == "boolean":
        return [("yes", "Yes"), ("no", "No")]
    return [(option.value, option.label or "no name yet") for option in question.options if option.value]


def doubts(draft: Draft) -> list[str]:
    """What is allowed, but may not be meant: one sentence each."""
    found = []
    for layer in draft.layers:
        colours = [segment.colour.lower() for segment in layer.segments]
        for colour in dict.fromkeys(one for one in colours if colours.count(one) > 1):
            same = " and ".join(one.name for one in layer.segments if one.colour.lower() == colour and one.name)
            found.append(f"{same} have the same colour.")
        if layer.editable and (bare := [one.name for one in layer.segments if not one.code and one.name]):
            found.append(
                f"Without a coded term, other programs know {', '.join(bare[:4])}{' …' if len(bare) > 4 else ''} by "
                "name only."
            )
    return found


def list_versions(campaign: Campaign) -> list[Version]:
    """The versions, the newest first."""
    entries = AuditEntry.objects.filter(
        action="campaign.schema_changed", object_type="work.campaign", object_id=str(campaign.pk)
    )
    told = {entry.new["schema"]: entry for entry in entries if entry.new is not None}
    found = []
    for schema in versions_of(campaign):
        entry = told.get(str(schema.pk))
        changes = (entry.new or {}).get("changes", []) if entry else []
        found.append(Version(schema, schema.created_at, entry.actor_name if entry else "", changes))
    return found


def _and(words: Sequence[str]) -> str:
    return " and ".join(words)
