"""The page of a label schema: each row of the form with what holds it in place, and the versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from annotation.pages.schema_draft import Draft, DraftLayer, DraftQuestion, next_value
from annotation.work.models import Campaign, LabelSchema
from annotation.work.schema_changing import versions_of
from annotation.work.schema_uses import Uses
from voxloop.audit.models import AuditEntry

_KEY = "“{}” is the key of {}: give another, or leave it empty."


@dataclass(frozen=True)
class RowOf:
    """A row of the form: its fields begin with `at`, its buttons name `to`. `kept` is the row of the stored version
    that it came from, `held` says what uses that one, if anything; `clashes` says by field what another row has too."""

    at: str
    to: str
    one: Any
    kept: Any = None
    held: str = ""
    clashes: Mapping[str, str] = field(default_factory=dict)
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


def layer_rows(draft: Draft, stored: Draft, uses: Uses) -> list[RowOf]:
    """The layers with their segments; `stored` is the newest version."""
    there = {layer.name: layer for layer in stored.layers}
    kept = [there.get(layer.was) for layer in draft.layers]
    return [
        RowOf(
            at=f"l-{n}",
            to=str(n),
            one=layer,
            kept=kept[n],
            held=_and(uses.layers.get(layer.was, [])) if kept[n] else "",
            clashes=_clashes(draft.layers, kept, n, {"name": _KEY}, [one.title for one in draft.layers]),
            is_first=n == 0,
            is_last=n == len(draft.layers) - 1,
            rows=_segment_rows(n, layer, kept[n], uses),
        )
        for n, layer in enumerate(draft.layers)
    ]


def _segment_rows(n: int, layer: DraftLayer, stored: DraftLayer | None, uses: Uses) -> list[RowOf]:
    there = {one.value: one for one in stored.segments} if stored else {}
    kept = [there.get(one.was) for one in layer.segments]
    fields = {
        "value": f"Value {{}} is {{}}'s: give this segment another, for example {next_value(layer)}.",
        "key": _KEY,
    }
    return [
        RowOf(
            at=f"s-{n}-{m}",
            to=f"{n}:{m}",
            one=segment,
            kept=kept[m],
            held=_and(uses.segments.get((layer.was, int(segment.was)), [])) if kept[m] else "",
            clashes=_clashes(layer.segments, kept, m, fields, [one.name for one in layer.segments]),
            is_first=m == 0,
            is_last=m == len(layer.segments) - 1,
        )
        for m, segment in enumerate(layer.segments)
    ]


def question_rows(draft: Draft, stored: Draft, uses: Uses) -> list[RowOf]:
    """The questions with their choices; `stored` is the newest version."""
    there = {one.key: one for one in stored.questions}
    kept = [there.get(one.was) for one in draft.questions]
    found = []
    for n, question in enumerate(draft.questions):
        before = [one for one in draft.questions[:n] if one.key and (one.chooses or one.kind == "boolean")]
        on = next((one for one in before if one.key == question.when), None)
        found.append(
            RowOf(
                at=f"q-{n}",
                to=str(n),
                one=question,
                kept=kept[n],
                held=_and(uses.questions.get(question.was, [])) if kept[n] else "",
                clashes=_clashes(draft.questions, kept, n, {"key": _KEY}, [f"“{one.text}”" for one in draft.questions]),
                is_first=n == 0,
                is_last=n == len(draft.questions) - 1,
                rows=_option_rows(n, question, kept[n], uses),
                earlier=[(one.key, one.text) for one in before],
                answers=[(value, label, value in question.answers) for value, label in _answers_of(on)],
            )
        )
    return found


def _option_rows(n: int, question: DraftQuestion, stored: DraftQuestion | None, uses: Uses) -> list[RowOf]:
    there = {one.value: one for one in stored.options} if stored else {}
    kept = [there.get(one.was) for one in question.options]
    return [
        RowOf(
            at=f"o-{n}-{m}",
            to=f"{n}:{m}",
            one=option,
            kept=kept[m],
            held=_and(uses.choices.get((question.was, option.was), [])) if kept[m] else "",
            clashes=_clashes(question.options, kept, m, {"value": _KEY}, [one.label for one in question.options]),
            is_first=m == 0,
            is_last=m == len(question.options) - 1,
        )
        for m, option in enumerate(question.options)
    ]


def _clashes(
    rows: Sequence[Any], kept: Sequence[Any], at: int, fields: dict[str, str], called: Sequence[str]
) -> dict[str, str]:
    """The fields of a row that hold what another row has, each with a sentence. Of two rows the one is told that had it
    least: who has it in the stored version keeps it, then who is stored at all, then who comes first."""
    found = {}
    for name, sentence in fields.items():
        typed = [getattr(one, name).lstrip("0") for one in rows]
        rights = [
            (there is not None and getattr(there, name) == typed[n], bool(there), -n) for n, there in enumerate(kept)
        ]
        others = [n for n, one in enumerate(typed) if one and one == typed[at] and rights[n] > rights[at]]
        if others:
            found[name] = sentence.format(typed[at], called[others[0]] or "another row")
    return found


def has_clashes(rows: Sequence[RowOf]) -> bool:
    """Whether a row, or a row in it, has what another row has."""
    return any(row.clashes or has_clashes(row.rows) for row in rows)


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
