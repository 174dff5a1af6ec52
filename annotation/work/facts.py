"""The label schema as sent to the viewer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from annotation.work.questions import Kind, Option, Question
from annotation.work.schema import Layer, Limit, Schema


@dataclass(frozen=True)
class SegmentFacts:
    """One kind of thing that is drawn; `id` is the value of its voxels, `colour` is `#rrggbb`."""

    id: int
    key: str
    name: str
    colour: str
    infectious: bool


@dataclass(frozen=True)
class LayerFacts:
    """One labelmap of a scan. `limit`: the region in which its marks are expected."""

    name: str
    title: str
    editable: bool
    limit: Limit
    segments: Sequence[SegmentFacts]


@dataclass(frozen=True)
class ConditionFacts:
    """Asked only when an earlier question that is asked has one of these answers."""

    question: str
    in_: Sequence[str | bool]


@dataclass(frozen=True)
class QuestionFacts:
    """A question about the whole scan. A number lies within both bounds, in `unit`, with `decimals`."""

    key: str
    text: str
    kind: Kind
    required: bool
    options: Sequence[Option]
    unit: str
    min: float | None
    max: float | None
    decimals: int
    max_length: int
    shown_when: ConditionFacts | None


class MarkKind(StrEnum):
    """A distance between two positions, or a shape between two opposite corners."""

    LENGTH = "length"
    ELLIPSE = "ellipse"
    RECTANGLE = "rectangle"


class MarkPlane(StrEnum):
    """The plane in which a shape lies."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


@dataclass(frozen=True)
class MarkFacts:
    """What was measured: a length from `start` to `end`, or a shape between these corners on slice `index` of `plane`
    (null for a length); continuous voxel positions (i, j, k)."""

    kind: MarkKind
    plane: MarkPlane | None
    index: int | None
    start: tuple[float, float, float]
    end: tuple[float, float, float]


def mark_facts(mark: Mapping[str, Any]) -> MarkFacts:
    """A kept mark for the viewer."""
    plane = MarkPlane(mark["plane"]) if mark["plane"] else None
    (i0, j0, k0), (i1, j1, k1) = mark["start"], mark["end"]
    return MarkFacts(MarkKind(mark["kind"]), plane, mark["index"], (i0, j0, k0), (i1, j1, k1))


@dataclass(frozen=True)
class LabelSchemaFacts:
    """The label schema of a campaign."""

    layers: Sequence[LayerFacts]
    questions: Sequence[QuestionFacts]


def schema_facts(schema: Schema) -> LabelSchemaFacts:
    """A label schema for the viewer, without coded terms."""
    return LabelSchemaFacts(
        [_layer_facts(layer) for layer in schema.layers], [_question_facts(question) for question in schema.questions]
    )


def _layer_facts(layer: Layer) -> LayerFacts:
    segments = [SegmentFacts(one.id, one.key, one.name, one.colour, one.infectious) for one in layer.segments]
    return LayerFacts(layer.name, layer.title, layer.editable, layer.limit, segments)


def _question_facts(question: Question) -> QuestionFacts:
    condition = question.shown_when
    return QuestionFacts(
        key=question.key,
        text=question.text,
        kind=question.kind,
        required=question.required,
        options=question.options,
        unit=question.unit,
        min=question.minimum,
        max=question.maximum,
        decimals=question.decimals,
        max_length=question.max_length,
        shown_when=ConditionFacts(condition.question, condition.values) if condition else None,
    )
