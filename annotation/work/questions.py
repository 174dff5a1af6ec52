"""Image-level questions of a label schema: kinds, conditions, and valid answers."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Never, get_args

from annotation.work.reading import Misfit, entries
from voxloop.kernel.errors import Invalid

Kind = Literal["choice", "choices", "boolean", "number", "text"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
Meaning = Literal["", "infection", "no_infection"]
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)
LONGEST_TEXT = 200
MOST_DECIMALS = 6
LARGEST = 10**12  # limit of unbounded numbers: exact in every JSON parser


@dataclass(frozen=True)
class Option:
    """An answer to choose. `means` ties it to the mask: "infection", "no_infection" or nothing."""

    value: str
    label: str
    means: Meaning = ""


@dataclass(frozen=True)
class Condition:
    """A question is shown when an earlier one, itself shown, has (or among several has) one of these answers."""

    question: str
    values: Sequence[str | bool]

    def holds(self, answers: Mapping[str, Any]) -> bool:
        """Whether these answers, of shown questions only, meet it."""
        answer = answers.get(self.question)
        given = answer if isinstance(answer, list) else [answer]
        return any(one in self.values for one in given)


@dataclass(frozen=True)
class Question:
    """An image-level question. `required`: when it is shown. A number lies within [minimum, maximum], in `unit`."""

    key: str
    text: str
    kind: Kind
    required: bool = False
    options: Sequence[Option] = ()
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    decimals: int = 0
    max_length: int = LONGEST_TEXT
    shown_when: Condition | None = None

    def clean(self, value: Any) -> Any:
        """The answer as it is stored; None for none. Raises Invalid (`bad_answers`, `answer_out_of_range`, …)."""
        if value is None or value == "" or value == []:
            return None
        match self.kind:
            case "boolean":
                return value if isinstance(value, bool) else self._refuse(value)
            case "choice":
                return value if isinstance(value, str) and value in self._values else self._refuse(value)
            case "choices":
                if not isinstance(value, list) or any(one not in self._values for one in value):
                    self._refuse(value)
                return [one for one in self._values if one in value]
            case "number":
                return self._number(value)
            case _:
                return self._text(value)

    @property
    def _values(self) -> list[str]:
        return [option.value for option in self.options]

    def _refuse(self, value: Any) -> Never:
        shown = str(value)[:80]
        raise Invalid(f"{shown!r} is not an answer to “{self.text}”.", code="bad_answers", question=self.key)

    def _number(self, value: Any) -> float | int:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or (isinstance(value, float) and not math.isfinite(value)):
            self._refuse(value)
        low = -LARGEST if self.minimum is None else self.minimum
        high = LARGEST if self.maximum is None else self.maximum
        if not low <= value <= high:
            raise Invalid(
                f"“{self.text}” takes {low:g} to {high:g}{self.unit and ' ' + self.unit}.",
                code="answer_out_of_range",
                question=self.key,
            )
        rounded = round(value, self.decimals)
        if not math.isclose(rounded, value, rel_tol=1e-12, abs_tol=1e-12):
            raise Invalid(
                f"“{self.text}” takes {self.decimals or 'no'} decimals.", code="answer_out_of_range", question=self.key
            )
        return int(rounded) if self.decimals == 0 else rounded

    def _text(self, value: Any) -> str | None:
        if not isinstance(value, str) or not value.isprintable():
            self._refuse(value)
        if len(value.strip()) > self.max_length:
            raise Invalid(
                f"The answer to “{self.text}” has at most {self.max_length} characters.",
                code="answer_too_long",
                question=self.key,
            )
        return value.strip() or None


def shown_questions(questions: Sequence[Question], answers: Mapping[str, Any]) -> list[Question]:
    """The questions shown for these answers, in order."""
    shown: list[Question] = []
    counted: dict[str, Any] = {}
    for question in questions:
        if question.shown_when is None or question.shown_when.holds(counted):
            shown.append(question)
            if question.key in answers:
                counted[question.key] = answers[question.key]
    return shown


def check_answers(questions: Sequence[Question], values: Mapping[str, Any]) -> dict[str, Any]:
    """Valid answers of shown questions, without empty ones. Raises Invalid naming the first invalid one."""
    known = {question.key: question for question in questions}
    clean: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise Invalid(f"There is no question {key!r} in this campaign.", code="bad_answers", question=key)
        if (answer := known[key].clean(value)) is not None:
            clean[key] = answer
    return {
        question.key: clean[question.key] for question in shown_questions(questions, clean) if question.key in clean
    }


def parse_question(stored: Any, what: str = "A question") -> Question:
    """Parse a question. Raises Misfit where it is incomplete."""
    known = entries(
        stored,
        what,
        needs={"key": str, "text": str, "kind": str},
        may={
            "required": bool,
            "options": list,
            "unit": str,
            "min": (int, float),
            "max": (int, float),
            "decimals": int,
            "max_length": int,
            "shown_when": dict,
        },
    )
    what = f"Question {known['key']}"
    return Question(
        key=known["key"],
        text=known["text"],
        kind=known["kind"],
        required=known.get("required", False),
        options=[
            Option(**entries(option, f"Option {n} of {what}", needs={"value": str, "label": str}, may={"means": str}))
            for n, option in enumerate(known.get("options", []), start=1)
        ],
        unit=known.get("unit", ""),
        minimum=_bound(known.get("min"), what),
        maximum=_bound(known.get("max"), what),
        decimals=known.get("decimals", 0),
        max_length=known.get("max_length", LONGEST_TEXT),
        shown_when=_parse_condition(known["shown_when"], what) if known.get("shown_when") else None,
    )


def _parse_condition(stored: Any, what: str) -> Condition:
    known = entries(stored, f"“shown_when” of {what}", needs={"question": str, "in": list})
    if not all(isinstance(value, str | bool) for value in known["in"]):
        raise Misfit(f"“in” of “shown_when” of {what} must hold values of options, or true and false.")
    return Condition(known["question"], known["in"])


def _bound(value: float | None, what: str) -> float | None:
    if value is not None and not (math.isfinite(value) and abs(value) <= LARGEST):
        raise Misfit(f"{value!r} is not a valid bound of {what}.")
    return value


def faults_of(questions: Sequence[Question]) -> list[str]:
    """What is wrong with the questions of a schema, one sentence each."""
    found: list[str] = []
    before: dict[str, Question] = {}
    for question in questions:
        found += _faults(question)
        if question.key in before:
            found.append(f"Two questions have the key {question.key}.")
        if question.shown_when is not None:
            found += _condition_faults(question, question.shown_when, before)
        before[question.key] = question
    return found


def _faults(question: Question) -> list[str]:
    key, chooses = question.key, question.kind in ("choice", "choices")
    low, high = question.minimum, question.maximum
    wrong = {
        f"Question {key} needs a key of small letters, digits and _.": not KEY.fullmatch(key),
        f"Question {key} is of the unknown kind {question.kind}.": question.kind not in KINDS,
        f"Question {key} needs at least two options.": chooses and len(question.options) < 2,
        f"Question {key} has options, but its kind has no choices.": not chooses and bool(question.options),
        f"Question {key} has an option without a value or a label.": not all(
            o.value and o.label for o in question.options
        ),
        f"An option of question {key} means neither infection nor no_infection.": any(
            o.means not in MEANINGS for o in question.options
        ),
        f"Question {key} has no text.": not question.text,
        f"Two options of question {key} are the same.": len({o.value for o in question.options})
        != len(question.options),
        f"Question {key} allows no value from {low} to {high}.": low is not None and high is not None and low > high,
        f"Question {key} has a unit or bounds, but is not a number.": question.kind != "number"
        and (question.unit != "" or low is not None or high is not None),
        f"Question {key} takes 0 to {MOST_DECIMALS} decimals.": not 0 <= question.decimals <= MOST_DECIMALS,
        f"Question {key} takes 1 to 2000 characters.": not 1 <= question.max_length <= 2000,
    }
    return [sentence for sentence, is_wrong in wrong.items() if is_wrong]


def _condition_faults(question: Question, condition: Condition, before: Mapping[str, Question]) -> list[str]:
    other = before.get(condition.question)
    if other is None:
        return [f"Question {question.key} depends on {condition.question}, which does not come before it."]
    allowed: list[str | bool] = [True, False] if other.kind == "boolean" else [o.value for o in other.options]
    if not allowed:
        return [f"Question {question.key} depends on {other.key}, which is not answered by choosing."]
    if not condition.values:
        return [
            f"Question {question.key} depends on {other.key}, but no answer is ticked that shows it: tick at least "
            "one, or ask it always."
        ]
    if any(value not in allowed for value in condition.values):
        return [f"Question {question.key} depends on an answer that {other.key} does not have."]
    return []
