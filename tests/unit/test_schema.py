"""Label schemas written by a person: accepted ones, and that every error is one sentence, never an exception."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.work.schema import Schema, parse_schema
from annotation.work.standard import STANDARD
from tests.factories.schemas import LIVER
from voxloop.kernel.errors import Invalid


def changed(path: list[str | int], value: Any) -> Any:
    """LIVER with one entry changed; `...` removes it."""
    schema = deepcopy(LIVER)
    node: Any = schema
    for step in path[:-1]:
        node = node[step]
    if value is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return schema


def test_another_organ_is_taken_and_its_main_layer_is_the_one_that_is_drawn_on() -> None:
    schema = parse_schema(LIVER)
    assert [layer.name for layer in schema.editable_layers] == ["lesions"]
    assert (schema.layer().name, schema.layer("").name, schema.layer("liver").name) == ("lesions", "lesions", "liver")
    assert schema.layer().segments[1].infectious is False


@pytest.mark.parametrize("name", sorted(STANDARD))
def test_what_ships_is_whole_and_survives_a_file(name: str) -> None:
    _, definition = STANDARD[name]
    assert parse_schema(json.loads(json.dumps(definition))) == parse_schema(definition)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (["layers"], ..., "A label schema lacks “layers”"),
        (["layers"], [], "at least one layer"),
        (["layers", 1, "limit"], "liver", "can be “lungs”"),
        (["layers", 1, "editable"], False, "at least one layer that is drawn on"),
        (["layers", 1, "segments"], [], "Layer lesions has no segments"),
        (["layers", 1, "name"], "liver", "Two layers have the same name"),
        (["layers", 1, "name"], "My layer", "must be small letters"),
        (["layers", 1, "title"], "", "The title of layer lesions"),
        (["layers", 0], "liver", "Layer 1 must be a table"),
        (["color"], "red", "unknown entry “color”; known are layers, questions"),
        (["layers", 1, "segments", 0, "color"], "#fff", "Segment 1 of Layer lesions has an unknown entry “color”"),
        (["layers", 1, "segments", 0, "colour"], ..., "Segment 1 of Layer lesions lacks “colour”"),
        (["layers", 1, "segments", 0, "colour"], "#E8AC00", "colour of Metastasis must be like"),
        (["layers", 1, "segments", 0, "id"], "1", "“id” of segment 1 of Layer lesions must be a whole number, not 1"),
        (["layers", 1, "segments", 0, "id"], True, "must be a whole number"),
        (["layers", 1, "segments", 0, "id"], 255, "go from 1 to 254"),
        (["layers", 1, "segments", 0, "id"], 2, "have the same id"),
        (["layers", 1, "segments", 0, "key"], "cyst", "have the same key"),
        (["layers", 1, "segments", 0, "key"], "Cyst 2", "key of Metastasis"),
        (["layers", 1, "segments", 0, "name"], "x" * 65, "1 to 64 characters"),
        (["layers", 1, "segments", 0, "name"], "a\x00b", "one line"),
        (["layers", 1, "segments", 0, "code"], {"scheme": "SCT"}, "lacks “value”"),
        (["layers", 1, "segments", 0, "code", "value"], "9" * 17, "has 1 to 16 characters"),
        (["questions"], {}, "must be a list"),
        (["questions", 0, "options", 0], "portal", "Option 1 of Question phase must be a table"),
        (["questions", 0, "options", 0, "means"], "cancer", "neither infection nor"),
        (["questions", 0, "options", 0, "label"], "", "without a value or a label"),
        (["questions", 0, "required"], "yes", "must be true or false, not yes"),
        (["questions", 0, "key"], 5, "must be a text"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(path: list[str | int], value: Any, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_schema(changed(path, value))
    assert refused.value.code == "bad_schema"
    assert says in refused.value.detail


def parsed(definition: Any) -> Schema | Invalid:
    try:
        return parse_schema(definition)
    except Invalid as refusal:
        return refusal


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
PLACES = [
    ["layers"],
    ["layers", 0],
    ["layers", 1, "segments"],
    ["layers", 1, "segments", 0],
    ["questions"],
    ["questions", 0],
    *([["layers", 1, name] for name in ("name", "title", "editable")]),
    *([["layers", 1, "segments", 0, name] for name in ("id", "key", "name", "colour", "infectious", "code")]),
    *([["layers", 1, "segments", 0, "code", name] for name in ("scheme", "value", "meaning")]),
    *(
        [
            ["questions", 0, name]
            for name in (
                "key",
                "text",
                "kind",
                "required",
                "options",
                "unit",
                "min",
                "max",
                "decimals",
                "max_length",
                "shown_when",
            )
        ]
    ),
    *([["questions", 0, "options", 0, name] for name in ("value", "label", "means")]),
]


@given(path=st.sampled_from(PLACES), value=ANYTHING)
def test_nothing_that_stands_anywhere_is_a_fault(path: list[str | int], value: Any) -> None:
    found = parsed(changed(path, value))
    if isinstance(found, Invalid):
        assert (found.code, found.detail[-1]) == ("bad_schema", ".")
    else:
        assert found.layer().segments
