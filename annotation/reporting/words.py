"""Words and numbers of reports and tables."""

from collections.abc import Mapping

PARTS: Mapping[str, str] = {
    "right": "Right lung",
    "left": "Left lung",
    "right_upper_lobe": "Right upper lobe",
    "right_middle_lobe": "Right middle lobe",
    "right_lower_lobe": "Right lower lobe",
    "left_upper_lobe": "Left upper lobe",
    "left_lower_lobe": "Left lower lobe",
    "right_upper_third": "Right, upper third",
    "right_middle_third": "Right, middle third",
    "right_lower_third": "Right, lower third",
    "left_upper_third": "Left, upper third",
    "left_middle_third": "Left, middle third",
    "left_lower_third": "Left, lower third",
}


def number(value: float | None, places: int) -> str:
    """A number with fixed decimals; a dash for None. A minus sign that every font has."""
    return "—" if value is None else f"{value:.{places}f}".replace("-", "−")
