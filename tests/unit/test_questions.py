"""Questions of a label schema: valid answers, shown questions, and refused schemas."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.work.questions import check_answers
from annotation.work.schema import parse_schema
from annotation.work.standard import CHEST_CT
from voxloop.kernel.errors import Invalid

QUESTIONS: list[dict[str, Any]] = [
    {"key": "fever", "text": "Fever", "kind": "boolean"},
    {
        "key": "degrees",
        "text": "Temperature",
        "kind": "number",
        "unit": "°C",
        "min": 35,
        "max": 42.5,
        "decimals": 1,
        "required": True,
        "shown_when": {"question": "fever", "in": [True]},
    },
    {
        "key": "signs",
        "text": "Signs",
        "kind": "choices",
        "options": [{"value": value, "label": value} for value in ("halo", "crazy_paving", "other")],
    },
    {
        "key": "sign",
        "text": "Which sign",
        "kind": "text",
        "max_length": 10,
        "shown_when": {"question": "signs", "in": ["other", "halo"]},
    },
    {
        "key": "class",
        "text": "Class",
        "kind": "choice",
        "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}],
    },
    {"key": "count", "text": "How many", "kind": "number", "shown_when": {"question": "class", "in": ["b"]}},
    {"key": "sure", "text": "Sure", "kind": "boolean", "shown_when": {"question": "class", "in": ["b"]}},
    {"key": "why", "text": "Why", "kind": "text", "shown_when": {"question": "sure", "in": [False]}},
]


def schema(questions: list[dict[str, Any]]) -> Any:
    return parse_schema({"layers": CHEST_CT["layers"], "questions": questions})


def check(**values: Any) -> dict[str, Any]:
    return check_answers(schema(QUESTIONS).questions, values)


def test_every_kind_is_cleaned() -> None:
    said = {
        "fever": True,
        "degrees": 38.50,
        "signs": ["other", "halo"],
        "sign": " reversed ",
        "class": "b",
        "count": 3.0,
    }
    assert check(**said) == {
        "fever": True,
        "degrees": 38.5,
        "signs": ["halo", "other"],
        "sign": "reversed",
        "class": "b",
        "count": 3,
    }
    assert check(fever=False, signs=[], sign="", count=None) == {"fever": False}
    assert isinstance(check(**{"class": "b"}, count=3.0)["count"], int)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"fever": 1}, "bad_answers"),
        ({"fever": "yes"}, "bad_answers"),
        ({"unknown": 1}, "bad_answers"),
        ({"degrees": "38"}, "bad_answers"),
        ({"degrees": True}, "bad_answers"),
        ({"degrees": [38]}, "bad_answers"),
        ({"degrees": float("nan")}, "bad_answers"),
        ({"degrees": float("inf")}, "bad_answers"),
        ({"degrees": 43}, "answer_out_of_range"),
        ({"degrees": 34.9}, "answer_out_of_range"),
        ({"degrees": 38.55}, "answer_out_of_range"),
        ({"count": 1.5}, "answer_out_of_range"),
        ({"count": 10**400}, "answer_out_of_range"),
        ({"count": -(10**400)}, "answer_out_of_range"),
        ({"signs": "halo"}, "bad_answers"),
        ({"signs": ["none"]}, "bad_answers"),
        ({"signs": [["halo"]]}, "bad_answers"),
        ({"class": "c"}, "bad_answers"),
        ({"class": ["a"]}, "bad_answers"),
        ({"class": {}}, "bad_answers"),
        ({"sign": 3}, "bad_answers"),
        ({"sign": "a\x00b"}, "bad_answers"),
        ({"sign": "\ud800"}, "bad_answers"),
        ({"sign": "two\nlines"}, "bad_answers"),
        ({"sign": "12345678901"}, "answer_too_long"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(values: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(**values)
    assert (refused.value.code, refused.value.extra["question"]) == (code, next(iter(values)))


def test_what_hangs_on_a_hidden_question_is_hidden_too() -> None:
    everything = {"class": "b", "sure": False, "why": "no slices"}
    assert check(**everything) == everything
    assert check(**{**everything, "class": "a"}) == {"class": "a"}
    keys = [
        question.key for question in schema(QUESTIONS).shown_questions({"class": "a", "sure": False, "fever": True})
    ]
    assert keys == ["fever", "degrees", "signs", "class"]


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "fever": st.booleans() | st.none(),
        "degrees": st.floats(35, 42.5).map(lambda v: round(v, 1)) | st.none(),
        "signs": st.lists(st.sampled_from(["halo", "crazy_paving", "other"])),
        "sign": st.sampled_from(["", "x", "tree"]),
        "class": st.sampled_from(["a", "b"]),
        "count": st.integers(-5, 5),
        "sure": st.booleans(),
        "why": st.just("y"),
    },
)


@given(ANSWERS)
def test_clean_answers_stay_as_they_are_and_are_all_asked(values: dict[str, Any]) -> None:
    clean = check(**values)
    assert check(**clean) == clean
    assert set(clean) <= {question.key for question in schema(QUESTIONS).shown_questions(clean)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "date"}, "unknown kind date"),
        ({"key": "No Key"}, "needs a key"),
        ({"key": "fever"}, "Two questions have the key fever"),
        ({"min": 50}, "allows no value"),
        ({"min": "5"}, "must be a number"),
        ({"min": float("nan")}, "not a valid bound"),
        ({"decimals": 9}, "0 to 6 decimals"),
        ({"max_length": 0}, "characters"),
        ({"kind": "text"}, "but is not a number"),
        ({"kind": "choice"}, "at least two options"),
        ({"options": [{"value": "a", "label": "A"}]}, "has no choices"),
        ({"shown_when": {"question": "signs", "in": ["halo"]}}, "does not come before it"),
        ({"shown_when": {"question": "degrees", "in": [1]}}, "must hold values of options"),
        ({"shown_when": {"question": "fever", "in": ["yes"]}}, "does not have"),
        ({"shown_when": {"question": "fever", "in": []}}, "but no answer is ticked that shows it"),
        ({"shown_when": {"question": "fever"}}, "lacks “in”"),
        ({"shown_when": 5}, "must be a table of names"),
    ],
)
def test_a_schema_that_cannot_be_asked_is_refused(change: dict[str, Any], says: str) -> None:
    questions = deepcopy(QUESTIONS)
    questions[1].update(change)
    with pytest.raises(Invalid, match=says) as refused:
        schema(questions)
    assert refused.value.code == "bad_schema"


def test_a_question_cannot_hang_on_a_typed_answer() -> None:
    questions = [*QUESTIONS, {"key": "x", "text": "X", "kind": "text", "shown_when": {"question": "sign", "in": ["a"]}}]
    with pytest.raises(Invalid, match="not answered by choosing"):
        schema(questions)


def test_the_schema_that_ships_is_whole() -> None:
    assert parse_schema(CHEST_CT).questions[0].key == "diagnosis"
