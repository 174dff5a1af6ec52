"""The shape of a label schema: layers with segments, and image-level questions (docs/formats.md)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from annotation.work.questions import Question, check_answers, faults_of, parse_question, shown_questions
from annotation.work.reading import Misfit, entries
from voxloop.kernel.errors import Invalid

HIGHEST_SEGMENT = 254  # 255 marks erased voxels (docs/formats.md)
LAYER_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
SEGMENT_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
Limit = Literal["", "lungs"]
LIMITS: tuple[Limit, ...] = get_args(Limit)
COLOUR = re.compile(r"#[0-9a-f]{6}")
LONGEST_NAME = 64  # LO, as DICOM SEG has it
CODE_LENGTHS = {"scheme": 16, "value": 16, "meaning": 64}  # SH, SH, LO (PS3.3 8.8)
MOST_QUESTIONS = 100


@dataclass(frozen=True)
class Segment:
    """One kind of thing that is drawn. `code` is a coded term (scheme, value, meaning) for DICOM SEG."""

    id: int
    key: str
    name: str
    colour: str
    infectious: bool = False
    code: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """One labelmap of a scan. `limit`: "lungs" when its marks are expected in the lungs, else empty."""

    name: str
    title: str
    editable: bool
    segments: Sequence[Segment]
    limit: Limit = ""

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(segment.id for segment in self.segments)


@dataclass(frozen=True)
class Schema:
    """A whole label schema."""

    layers: Sequence[Layer]
    questions: Sequence[Question]

    def layer(self, name: str | None = None) -> Layer:
        """The layer of that name; without a name the first editable one. Raises Invalid."""
        if not name:
            return self.editable_layers[0]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise Invalid(f"There is no layer {name!r}; this campaign has {names}.", code="unknown_layer")

    @property
    def editable_layers(self) -> list[Layer]:
        """The editable layers; there is at least one."""
        return [layer for layer in self.layers if layer.editable]

    def check_answers(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Valid answers, without those of hidden questions. Raises Invalid naming the first invalid one."""
        return check_answers(self.questions, values)

    def shown_questions(self, answers: Mapping[str, Any]) -> list[Question]:
        """The questions shown for these answers."""
        return shown_questions(self.questions, answers)


def parse_schema(definition: Any) -> Schema:
    """Read and check a definition, as it is stored or as a person wrote it. Raises Invalid with what is wrong."""
    try:
        known = entries(definition, "A label schema", needs={"layers": list}, may={"questions": list})
        schema = Schema(
            layers=[_parse_layer(layer, f"Layer {n}") for n, layer in enumerate(known["layers"], start=1)],
            questions=[
                parse_question(question, f"Question {n}")
                for n, question in enumerate(known.get("questions", []), start=1)
            ],
        )
        _check(schema)
    except Misfit as misfit:
        raise Invalid(str(misfit), code="bad_schema") from misfit
    return schema


def _parse_layer(stored: Any, what: str) -> Layer:
    known = entries(
        stored, what, needs={"name": str, "title": str, "segments": list}, may={"editable": bool, "limit": str}
    )
    what = f"Layer {known['name']}"
    return Layer(
        name=known["name"],
        title=known["title"],
        editable=known.get("editable", True),
        segments=[_parse_segment(one, f"Segment {n} of {what}") for n, one in enumerate(known["segments"], start=1)],
        limit=known.get("limit", ""),
    )


def _parse_segment(stored: Any, what: str) -> Segment:
    known = entries(
        stored, what, needs={"id": int, "key": str, "name": str, "colour": str}, may={"infectious": bool, "code": dict}
    )
    if known.get("code"):
        code = entries(known["code"], f"The code of {what}", needs=dict.fromkeys(CODE_LENGTHS, str))
        for name, most in CODE_LENGTHS.items():
            if not 1 <= len(code[name]) <= most:
                raise Misfit(f"“{name}” in the code of {what} has 1 to {most} characters.")
    return Segment(**known)


def _check(schema: Schema) -> None:
    if len({layer.name for layer in schema.layers}) != len(schema.layers):
        raise Misfit("Two layers have the same name.")
    if not schema.editable_layers:
        raise Misfit("A label schema needs at least one layer that is drawn on (“editable”).")
    for layer in schema.layers:
        _check_layer(layer)
    if len(schema.questions) > MOST_QUESTIONS:
        raise Misfit(f"A label schema asks at most {MOST_QUESTIONS} questions.")
    for fault in faults_of(schema.questions):
        raise Misfit(fault)


def _check_layer(layer: Layer) -> None:
    if not LAYER_NAME.fullmatch(layer.name):
        raise Misfit(f"The name of layer {layer.name} must be small letters, digits and _, at most 32.")
    if not 1 <= len(layer.title) <= LONGEST_NAME:
        raise Misfit(f"The title of layer {layer.name} has 1 to {LONGEST_NAME} characters.")
    if layer.limit not in LIMITS:
        raise Misfit(f"The limit of layer {layer.name} can be “lungs”, or is left out.")
    if layer.editable and not layer.segments:
        raise Misfit(f"Layer {layer.name} has no segments to draw.")
    for what in ("id", "key"):
        had: dict[int | str, str] = {}
        for segment in layer.segments:
            value = getattr(segment, what)
            if value in had:
                both = f"{had[value]} and {segment.name or 'one without a name'}"
                raise Misfit(f"Two segments of layer {layer.name} have the same {what}, {value}: {both}.")
            had[value] = segment.name
    for segment in layer.segments:
        if not 1 <= len(segment.name) <= LONGEST_NAME:
            raise Misfit(f"The name of segment {segment.id} of layer {layer.name} has 1 to {LONGEST_NAME} characters.")
        if not SEGMENT_KEY.fullmatch(segment.key):
            raise Misfit(f"The key of {segment.name} must be small letters, digits and _, at most 64.")
        if not 1 <= segment.id <= HIGHEST_SEGMENT:
            raise Misfit(f"Segment ids go from 1 to {HIGHEST_SEGMENT}; {segment.name} has {segment.id}.")
        if not COLOUR.fullmatch(segment.colour):
            raise Misfit(f"The colour of {segment.name} must be like #e8ac00.")
