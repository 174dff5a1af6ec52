"""The shape of a label schema: layers with segments, and image-level questions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotation.work.questions import Question, check_answers, faults_of, parse_question, shown_questions
from voxloop.kernel.errors import Invalid

EDITABLE_BY_PEOPLE = True
HIGHEST_SEGMENT = 254  # 255 marks erased voxels (docs/formats.md)


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
    """One labelmap of a scan."""

    name: str
    title: str
    editable: bool
    segments: Sequence[Segment]

    @property
    def ids(self) -> frozenset[int]:
        return frozenset(segment.id for segment in self.segments)


@dataclass(frozen=True)
class Schema:
    """A whole label schema."""

    layers: Sequence[Layer]
    questions: Sequence[Question]

    def layer(self, name: str) -> Layer:
        """The layer of that name. Raises Invalid."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise Invalid(f"There is no layer {name!r}; this campaign has {names}.", code="unknown_layer")

    @property
    def editable_layers(self) -> list[Layer]:
        return [layer for layer in self.layers if layer.editable]

    def check_answers(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Answers that fit the questions, without those of hidden ones. Raises Invalid naming the first misfit."""
        return check_answers(self.questions, values)

    def shown_questions(self, answers: Mapping[str, Any]) -> list[Question]:
        """The questions that these answers let be asked."""
        return shown_questions(self.questions, answers)


def parse_schema(definition: Mapping[str, Any]) -> Schema:
    """Read and check a stored definition. Raises Invalid with what is wrong."""
    try:
        schema = Schema(
            layers=[
                Layer(
                    name=layer["name"],
                    title=layer["title"],
                    editable=bool(layer.get("editable", True)),
                    segments=[Segment(**segment) for segment in layer["segments"]],
                )
                for layer in definition["layers"]
            ],
            questions=[parse_question(question) for question in definition.get("questions", [])],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"The label schema is not complete: {error}.", code="bad_schema") from error
    _check(schema)
    return schema


def _check(schema: Schema) -> None:
    def refuse(sentence: str) -> None:
        raise Invalid(sentence, code="bad_schema")

    if not schema.layers:
        refuse("A label schema needs at least one layer.")
    if len({layer.name for layer in schema.layers}) != len(schema.layers):
        refuse("Two layers have the same name.")
    for layer in schema.layers:
        if len(layer.ids) != len(layer.segments):
            refuse(f"Two segments of layer {layer.name} have the same id.")
        for segment in layer.segments:
            if not 1 <= segment.id <= HIGHEST_SEGMENT:
                refuse(f"Segment ids go from 1 to {HIGHEST_SEGMENT}; {segment.name} has {segment.id}.")
            if not re.fullmatch(r"#[0-9a-f]{6}", segment.colour):
                refuse(f"The colour of {segment.name} must be like #e8ac00.")
    for fault in faults_of(schema.questions):
        refuse(fault)
