"""Every pair of colours for text or marks has the contrast listed in tokens.css."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "frontend" / "styles" / "tokens.css"
LINE = re.compile(
    r"^ {3}(?P<what>\S.*?) +(?P<theme>light|dark) +(?P<ink>#[0-9a-f]{6}) (?P<ground>#[0-9a-f]{6}) +"
    r"(?P<ratio>[\d.]+)  \(needs (?P<needs>[\d.]+)\)$"
)
TOKEN = re.compile(r"--([\w-]+): (?:light-dark\((#\w+), (#\w+)\)|(#\w+));")
# Names in the list that differ from the tokens' names.
NAMES = {
    "white": "#ffffff",
    "control border": "line-control",
    "focus ring": "focus",
    "plot axis text": "plot-axis",
}


def pairs() -> list[dict[str, str]]:
    found = [match.groupdict() for line in TOKENS.read_text("utf-8").splitlines() if (match := LINE.match(line))]
    assert len(found) > 100
    return found


def tokens(theme: str) -> dict[str, str]:
    return {
        name: plain or (light if theme == "light" else dark)
        for name, light, dark, plain in TOKEN.findall(TOKENS.read_text("utf-8"))
    }


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(ink: str, ground: str) -> float:
    """WCAG 2.x ratio."""
    light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def token_names(what: str) -> tuple[str, str]:
    """The two tokens of a line of the list."""
    if match := re.fullmatch(r"status ([\w-]+): (text|mark) on (tint|surface)", what):
        state, part, ground = match.groups()
        ink = f"st-{state}" + ("-mark" if part == "mark" else "")
        return ink, f"st-{state}-bg" if ground == "tint" else "surface"
    ink, _, ground = what.partition(" on ")
    ink = NAMES.get(ink, ink)
    return re.sub(r"^plot (\d)$", r"plot-\1", ink), NAMES.get(ground, ground)


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: f"{pair['what']}, {pair['theme']}")
def test_contrast_holds(pair: dict[str, str]) -> None:
    assert contrast(pair["ink"], pair["ground"]) >= float(pair["needs"])
    assert contrast(pair["ink"], pair["ground"]) == pytest.approx(float(pair["ratio"]), abs=0.01)


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: f"{pair['what']}, {pair['theme']}")
def test_the_list_speaks_of_the_tokens_in_use(pair: dict[str, str]) -> None:
    known = tokens(pair["theme"])
    for name, colour in zip(token_names(pair["what"]), (pair["ink"], pair["ground"]), strict=True):
        assert known.get(name, name) == colour, f"{name} is {known.get(name)} now; measure the pair again"
