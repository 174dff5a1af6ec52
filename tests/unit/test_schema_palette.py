"""The colours offered for segments: seen on CT, and told apart from each other."""

from itertools import combinations

import pytest

from annotation.pages.schema_draft import PALETTE, DraftLayer, DraftSegment, next_colour
from annotation.work.coded_terms import find_terms, read_term, shipped_terms, written
from annotation.work.schema import CODE_LENGTHS, COLOUR


def linear(colour: str) -> list[float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def oklab(colour: str) -> tuple[float, float, float]:
    """Björn Ottosson's OKLab, in which equal distances look about equal."""
    r, g, b = linear(colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def test_each_colour_has_contrast_on_air_and_differs_from_the_others() -> None:
    for colour in PALETTE:
        assert COLOUR.fullmatch(colour)
        luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))
        assert (luminance + 0.05) / 0.05 >= 3, colour  # WCAG 1.4.11, on black
    for one, other in combinations(PALETTE, 2):
        far = sum((a - b) ** 2 for a, b in zip(oklab(one), oklab(other), strict=True)) ** 0.5
        assert far >= 0.09, (one, other, far)


def test_a_new_segment_gets_a_colour_that_is_free_then_the_least_used() -> None:
    layer = DraftLayer()
    for colour in PALETTE:
        assert next_colour(layer) == colour
        layer.segments.append(DraftSegment(colour=colour))
    assert next_colour(layer) == PALETTE[0]


def test_terms_that_ship_fit_dicom_and_survive_being_written() -> None:
    terms = shipped_terms()
    assert len(terms) > 2000
    assert len({(term.scheme, term.value) for term in terms}) == len(terms)
    for term in terms:
        code = {"scheme": term.scheme, "value": term.value, "meaning": term.meaning}
        assert all(1 <= len(code[name]) <= most for name, most in CODE_LENGTHS.items()), term
        assert read_term(written(code)) == code


def test_a_term_is_found_by_the_beginnings_of_its_words() -> None:
    assert str(find_terms("upper right")[0]) == "Upper lobe of right lung (SCT 45653009)"
    assert [term.value for term in find_terms("sct 233604007")] == ["233604007"]
    assert find_terms("") == find_terms("  ?") == find_terms("zzzz") == []
    assert len(find_terms("a")) == 20
    assert read_term("lung MASS") == {"scheme": "SCT", "value": "309529002", "meaning": "Lung mass"}
    assert read_term(" ") is None
    with pytest.raises(ValueError, match="nothing"):
        read_term("nothing known")
