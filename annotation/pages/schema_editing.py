"""The form of a label schema: reads its fields, and does what its buttons say (add, remove, up, down)."""

from collections.abc import Callable, Mapping
from typing import Any

from annotation.pages.schema_draft import (
    LEAST_OPTIONS,
    Draft,
    DraftLayer,
    DraftOption,
    DraftQuestion,
    DraftSegment,
    complete,
    next_colour,
    next_value,
)

MOST_ROWS = 300  # of one kind: more than a schema can have

Texts = Mapping[str, str]


def read_draft(sent: Any) -> Draft:
    """The schema of a sent form (a QueryDict): rows are numbered from 0 without a gap."""

    def text(name: str) -> str:
        return " ".join(str(sent.get(name, "")).split())

    layers = [
        DraftLayer(
            text(f"l-{n}-title"),
            text(f"l-{n}-name"),
            f"l-{n}-editable" in sent,
            text(f"l-{n}-limit"),
            [
                DraftSegment(
                    text(f"s-{n}-{m}-name"),
                    text(f"s-{n}-{m}-colour"),
                    text(f"s-{n}-{m}-value"),
                    text(f"s-{n}-{m}-key"),
                    text(f"s-{n}-{m}-code"),
                    f"s-{n}-{m}-infectious" in sent,
                    text(f"s-{n}-{m}-was"),
                )
                for m in _rows(sent, f"s-{n}-{{}}-name")
            ],
            text(f"l-{n}-was"),
        )
        for n in _rows(sent, "l-{}-title")
    ]
    questions = [_read_question(sent, f"q-{n}", text, n) for n in _rows(sent, "q-{}-text")]
    return Draft(layers, questions)


def _read_question(sent: Any, at: str, text: Callable[[str], str], number: int) -> DraftQuestion:
    return DraftQuestion(
        text=text(f"{at}-text"),
        key=text(f"{at}-key"),
        kind=text(f"{at}-kind"),
        required=f"{at}-required" in sent,
        unit=text(f"{at}-unit"),
        minimum=text(f"{at}-minimum"),
        maximum=text(f"{at}-maximum"),
        decimals=text(f"{at}-decimals") or "0",
        max_length=text(f"{at}-max_length") or "200",
        when=text(f"{at}-when"),
        answers=sent.getlist(f"{at}-answers"),
        options=[
            DraftOption(*(text(f"o-{number}-{m}-{name}") for name in ("label", "value", "means", "was")))
            for m in _rows(sent, f"o-{number}-{{}}-label")
        ],
        was=text(f"{at}-was"),
    )


def _rows(sent: Any, name: str) -> list[int]:
    found: list[int] = []
    while len(found) < MOST_ROWS and name.format(len(found)) in sent:
        found.append(len(found))
    return found


def tie(draft: Draft, stored: Draft) -> None:
    """Say of a draft from a file which rows are those of the stored version. A value that has another key there, or a
    question of another kind or unit, is a new row: work does not lock it, so that it can be corrected."""
    layers = {layer.name: layer for layer in stored.layers}
    for layer in draft.layers:
        there = layers.get(layer.name)
        layer.was = layer.name if there else ""
        same = {(one.value, one.key) for one in there.segments} if there else set()
        for segment in layer.segments:
            segment.was = segment.value if (segment.value, segment.key) in same else ""
    questions = {(one.key, one.kind, one.unit): one for one in stored.questions}
    for question in draft.questions:
        asked = questions.get((question.key, question.kind, question.unit))
        question.was = question.key if asked else ""
        values = {one.value for one in asked.options} if asked else set()
        for option in question.options:
            option.was = option.value if option.value in values else ""


def act(draft: Draft, do: str) -> tuple[str, str]:
    """Do what a button says: `add:segment:0`, `remove:question:2`, `up:option:2:1`. Returns the id of the field that
    takes the focus, and a sentence; what is not understood changes nothing."""
    what, _, rest = do.partition(":")
    kind, _, places = rest.partition(":")
    at = [int(place) for place in places.split(":") if place.isdecimal() and len(place) < 4]
    complete(draft)
    if what == "add":
        return _add(draft, kind, at)
    rows, place, prefix = _find(draft, kind, at)
    if rows is None or not 0 <= place < len(rows):
        return "", ""
    if what == "remove":
        del rows[place]
        return _focus(prefix, min(place, len(rows) - 1), kind), f"The {_word(kind)} was removed."
    to = place + {"up": -1, "down": 1}.get(what, 0)
    if not 0 <= to < len(rows) or to == place:
        return _focus(prefix, place, kind), ""
    rows[place], rows[to] = rows[to], rows[place]
    return _focus(prefix, to, kind), f"The {_word(kind)} is number {to + 1} now."


def _add(draft: Draft, kind: str, at: list[int]) -> tuple[str, str]:
    said = f"A {_word(kind)} was added."
    if kind == "layer":
        draft.layers.append(DraftLayer())
        draft.layers[-1].segments.append(_new_segment(draft.layers[-1]))
        return _focus("l", len(draft.layers) - 1, kind), said
    if kind == "question":
        draft.questions.append(DraftQuestion(options=[DraftOption() for _ in range(LEAST_OPTIONS)]))
        return _focus("q", len(draft.questions) - 1, kind), said
    if kind == "segment" and at and at[0] < len(draft.layers):
        layer = draft.layers[at[0]]
        layer.segments.append(_new_segment(layer))
        return _focus(f"s-{at[0]}", len(layer.segments) - 1, kind), said
    if kind == "option" and at and at[0] < len(draft.questions):
        options = draft.questions[at[0]].options
        options.append(DraftOption())
        return _focus(f"o-{at[0]}", len(options) - 1, kind), said
    return "", ""


def _new_segment(layer: DraftLayer) -> DraftSegment:
    return DraftSegment(colour=next_colour(layer), value=str(next_value(layer)))


def _find(draft: Draft, kind: str, at: list[int]) -> tuple[list[Any] | None, int, str]:
    """The rows that a button is about, the place in them, and the start of their fields' names."""
    if kind == "layer" and len(at) == 1:
        return draft.layers, at[0], "l"
    if kind == "question" and len(at) == 1:
        return draft.questions, at[0], "q"
    if kind == "segment" and len(at) == 2 and at[0] < len(draft.layers):
        return draft.layers[at[0]].segments, at[1], f"s-{at[0]}"
    if kind == "option" and len(at) == 2 and at[0] < len(draft.questions):
        return draft.questions[at[0]].options, at[1], f"o-{at[0]}"
    return None, -1, ""


def _focus(prefix: str, place: int, kind: str) -> str:
    field = {"layer": "title", "segment": "name", "question": "text", "option": "label"}[kind]
    return f"{prefix}-{place}-{field}" if place >= 0 else ""


def _word(kind: str) -> str:
    return "choice" if kind == "option" else kind
