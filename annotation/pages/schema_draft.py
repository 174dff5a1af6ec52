"""A label schema while it is edited on a page: every field as text, so that nothing typed is lost, however wrong.

`was` of a row names the row of the stored version that it came from (a layer's name, a segment's or choice's value, a
question's key), empty for a new one; what is typed never changes it."""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from annotation.work.coded_terms import read_term, written
from annotation.work.questions import Option, Question
from annotation.work.schema import Layer, Schema, Segment
from voxloop.kernel.errors import Invalid

# Told apart on CT, on each other, and with the usual colour blindness as well as so many can be; a test holds it.
PALETTE = (
    *("#e8ac00", "#3074ff", "#d93f02", "#ae4bb3", "#31dffe", "#09d36c", "#ff78da", "#f9ef1e", "#b6b9bd", "#8b7bff"),
    *("#ff9a8a", "#7fae3f"),
)
LEAST_OPTIONS = 2


@dataclass
class DraftSegment:
    """A row of the table of segments; `code` as a person types it."""

    name: str = ""
    colour: str = PALETTE[0]
    value: str = ""
    key: str = ""
    code: str = ""
    infectious: bool = False
    was: str = ""


@dataclass
class DraftLayer:
    """A layer."""

    title: str = ""
    name: str = ""
    editable: bool = True
    limit: str = ""
    segments: list[DraftSegment] = field(default_factory=list)
    was: str = ""


@dataclass
class DraftOption:
    """A choice of a question."""

    label: str = ""
    value: str = ""
    means: str = ""
    was: str = ""


@dataclass
class DraftQuestion:
    """A question; `when` is the key of the question that it depends on, `answers` the answers that show it."""

    text: str = ""
    key: str = ""
    kind: str = "choice"
    required: bool = False
    unit: str = ""
    minimum: str = ""
    maximum: str = ""
    decimals: str = "0"
    max_length: str = "200"
    when: str = ""
    answers: list[str] = field(default_factory=list)
    options: list[DraftOption] = field(default_factory=list)
    was: str = ""

    @property
    def chooses(self) -> bool:
        return self.kind in ("choice", "choices")


@dataclass
class Draft:
    """A whole label schema."""

    layers: list[DraftLayer] = field(default_factory=list)
    questions: list[DraftQuestion] = field(default_factory=list)


def draft_of(schema: Schema) -> Draft:
    """A schema that is there, to be edited."""
    return Draft([_layer(layer) for layer in schema.layers], [_question(question) for question in schema.questions])


def _layer(layer: Layer) -> DraftLayer:
    return DraftLayer(
        layer.title, layer.name, layer.editable, layer.limit, [_segment(one) for one in layer.segments], layer.name
    )


def _segment(one: Segment) -> DraftSegment:
    return DraftSegment(one.name, one.colour, str(one.id), one.key, written(one.code), one.infectious, str(one.id))


def _question(one: Question) -> DraftQuestion:
    when = one.shown_when
    return DraftQuestion(
        text=one.text,
        key=one.key,
        kind=one.kind,
        required=one.required,
        unit=one.unit,
        minimum="" if one.minimum is None else f"{one.minimum:.12g}",
        maximum="" if one.maximum is None else f"{one.maximum:.12g}",
        decimals=str(one.decimals),
        max_length=str(one.max_length),
        when=when.question if when else "",
        answers=[_answer(value) for value in when.values] if when else [],
        options=[_option(option) for option in one.options],
        was=one.key,
    )


def _option(one: Option) -> DraftOption:
    return DraftOption(one.label, one.value, one.means, one.value)


def _answer(value: str | bool) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else value


def definition_of(draft: Draft) -> dict[str, Any]:
    """The definition as it is stored; keys and values that were left empty are filled. Raises Invalid (`bad_schema`)
    for what is no number or no coded term; everything else is checked by `parse_schema`."""
    draft = deepcopy(draft)
    complete(draft, unnamed=True)
    return {
        "layers": [_layer_entry(layer) for layer in draft.layers],
        "questions": [_question_entry(question, draft) for question in draft.questions],
    }


def complete(draft: Draft, *, unnamed: bool = False) -> None:
    """Fill what was left empty: names and keys from what people read, values with the next free number. What has no
    name yet stays without a key, unless `unnamed`."""
    names = {layer.name for layer in draft.layers}
    for layer in draft.layers:
        if layer.title or unnamed:
            layer.name = layer.name or _free(layer.title, "layer", 32, names)
        names.add(layer.name)
        keys = {segment.key for segment in layer.segments}
        for segment in layer.segments:
            if segment.name or unnamed:
                segment.key = segment.key or _free(segment.name, "segment", 64, keys)
            keys.add(segment.key)
            segment.value = segment.value or str(next_value(layer))
    keys = {question.key for question in draft.questions}
    for question in draft.questions:
        if question.text or unnamed:
            question.key = question.key or _free(question.text, "question", 40, keys)
        keys.add(question.key)
        values = {option.value for option in question.options}
        for option in question.options:
            if option.label or unnamed:
                option.value = option.value or _free(option.label, "choice", 40, values)
            values.add(option.value)


def next_value(layer: DraftLayer) -> int:
    """One more than the highest value of the layer; a value is not given twice while its row is there."""
    return max((int(one.value) for one in layer.segments if one.value.isdecimal()), default=0) + 1


def next_colour(layer: DraftLayer) -> str:
    """The first colour of the palette that the layer does not have; all have been taken: the least used."""
    used = [segment.colour for segment in layer.segments]
    return min(PALETTE, key=lambda colour: (used.count(colour), PALETTE.index(colour)))


def _free(words: str, otherwise: str, most: int, taken: set[str]) -> str:
    """`Ground-glass opacity` -> `ground_glass_opacity`, with a number where that is taken."""
    plain = re.sub(r"[^a-z0-9]+", "_", words.casefold()).strip("_")
    plain = plain if plain[:1].isalpha() else f"{otherwise}_{plain}".strip("_")
    found, number = plain[:most].rstrip("_"), 1
    while found in taken and found:
        number += 1
        found = f"{plain[: most - 4].rstrip('_')}_{number}"
    return found


def _layer_entry(layer: DraftLayer) -> dict[str, Any]:
    limit = {"limit": layer.limit} if layer.limit else {}
    return {
        "name": layer.name,
        "title": layer.title,
        "editable": layer.editable,
        **limit,
        "segments": [_segment_entry(segment, layer) for segment in layer.segments],
    }


def _segment_entry(one: DraftSegment, layer: DraftLayer) -> dict[str, Any]:
    name, within = one.name or "a segment without a name", f"layer {layer.title or layer.name}"
    entry: dict[str, Any] = {
        "id": _whole(one.value, f"The value of {name} ({within})"),
        "key": one.key,
        "name": one.name,
        "colour": one.colour.lower(),
    }
    if one.infectious:
        entry["infectious"] = True
    try:
        code = read_term(one.code)
    except ValueError as error:
        raise Invalid(
            f"The coded term of {name} ({within}, value {one.value}) is not in the list. Choose one from the list, "
            "write it like “Lung mass (SCT 309529002)”, or leave it empty.",
            code="bad_schema",
        ) from error
    return {**entry, "code": code} if code else entry


def _question_entry(one: DraftQuestion, draft: Draft) -> dict[str, Any]:
    what = one.text or "a question"
    entry: dict[str, Any] = {"key": one.key, "text": one.text, "kind": one.kind}
    if one.required:
        entry["required"] = True
    if one.chooses:
        entry["options"] = [
            {"value": option.value, "label": option.label, **({"means": option.means} if option.means else {})}
            for option in one.options
        ]
    elif one.kind == "number":
        if one.unit:
            entry["unit"] = one.unit
        for name, text in (("min", one.minimum), ("max", one.maximum)):
            if text:
                entry[name] = _number(text, f"The bounds of {what}")
        if one.decimals not in ("", "0"):
            entry["decimals"] = _whole(one.decimals, f"The decimals of {what}")
    elif one.kind == "text" and one.max_length not in ("", "200"):
        entry["max_length"] = _whole(one.max_length, f"The length of {what}")
    if one.when:
        on = next((other for other in draft.questions if other.key == one.when), None)
        answers: list[Any] = [one == "yes" for one in one.answers] if on and on.kind == "boolean" else one.answers
        entry["shown_when"] = {"question": one.when, "in": answers}
    return entry


def _whole(text: str, what: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,6}", text):
        raise Invalid(f"{what} has to be a whole number, not “{text[:40]}”.", code="bad_schema")
    return int(text)


def _number(text: str, what: str) -> float | int:
    try:
        value = float(text)
    except ValueError:
        raise Invalid(f"{what} have to be numbers, not “{text[:40]}”.", code="bad_schema") from None
    return int(value) if value.is_integer() and abs(value) < 10**15 else value
