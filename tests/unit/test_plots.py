"""The dashboard's plots before there is much data, and with long names."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from annotation.pages.plots.campaign import burn_up, time_per_scan
from annotation.pages.plots.canvas import LETTER, LINE, minute_ticks
from annotation.pages.plots.person import own_times

TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC)
LABELS = ("plan", "handed in", "approved", "today", "first model serves")


def boxes(svg: str) -> dict[str, tuple[float, float, float, float]]:
    """The named labels with their boxes."""
    found = {}
    for x, y, anchor, words in re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)" text-anchor="(\w+)"[^>]*>([^<]*)<', svg):
        if not words.startswith(LABELS):
            continue
        width = LETTER * len(unescape(words))
        left = float(x) - {"start": 0, "middle": width / 2, "end": width}[anchor]
        found[words] = (left, float(y) - LINE + 4, left + width, float(y))
    return found


@pytest.mark.parametrize("approved", [0, 1, 5, 8])
@pytest.mark.parametrize("handed_in", [1, 5, 8])
@pytest.mark.parametrize("ends_in_days", [None, -1, 0, 1, 60])
@pytest.mark.parametrize("began", [timedelta(minutes=20), timedelta(days=3)])
def test_no_label_covers_another_or_leaves_the_plot(
    approved: int, handed_in: int, ends_in_days: int | None, began: timedelta
) -> None:
    start = TODAY - began
    plan_end = None if ends_in_days is None else TODAY + timedelta(days=ends_in_days)
    svg = burn_up(
        [(TODAY - began / 3, approved)] if approved else [],
        [(TODAY - began / 2, handed_in)],
        start=start,
        end=max(TODAY, plan_end or TODAY),
        today=TODAY,
        planned=8,
        plan_end=plan_end,
        first_model=TODAY - began / 5,
    )
    found = list(boxes(svg).items())
    assert len(found) >= 3
    for number, (words, box) in enumerate(found):
        assert 0 <= box[0] <= box[2] <= 760, (words, box)
        for other, there in found[number + 1 :]:
            apart = box[2] <= there[0] or there[2] <= box[0] or box[3] <= there[1] or there[3] <= box[1]
            assert apart, (words, box, other, there)


def test_without_an_end_the_plan_is_no_line_to_today() -> None:
    start = TODAY - timedelta(days=2)
    svg = burn_up([], [(TODAY, 3)], start=start, end=TODAY, today=TODAY, planned=8)
    points = re.findall(r'<polyline class="ref" points="([^"]+)"', svg)
    heights = {point.split(",")[1] for point in points[0].split()}
    assert len(heights) == 1  # level: how many, without a day


def test_a_plan_whose_end_is_past_stays_where_it_was() -> None:
    start = TODAY - timedelta(days=10)
    svg = burn_up([], [(TODAY, 3)], start=start, end=TODAY, today=TODAY, planned=8, plan_end=TODAY - timedelta(days=5))
    points = [
        tuple(map(float, point.split(","))) for point in re.findall(r'class="ref" points="([^"]+)"', svg)[0].split()
    ]
    (x0, y0), (x1, y1), *_, (x3, y3) = points
    assert x1 == pytest.approx((x0 + x3) / 2, abs=1)
    assert y1 == y3 < y0


def test_a_long_name_is_cut_and_whole_in_its_tooltip() -> None:
    svg = time_per_scan([("annotator.with.a.long.name", [3.0, 4.0])])
    assert "<title>annotator.with.a.long.name</title>annotator.wi…" in svg


def test_minutes_of_scans_that_took_seconds_have_an_axis_of_a_minute() -> None:
    assert minute_ticks(0.004)[-1] == 1
    assert minute_ticks(7.2)[-1] == 8
    drawn = str(own_times([("VX-A-0001", 0.005, "blank")], None))
    assert "0.00" not in drawn
