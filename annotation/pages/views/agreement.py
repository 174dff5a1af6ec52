"""How far readers agree, and the pairs behind it as CSV."""

from collections.abc import Iterable, Sequence

from django.http import HttpResponse
from django.shortcuts import render

from annotation.pages.plots.agreement import differences
from annotation.pages.requests import PageRequest
from annotation.pages.selectors.agreement import Found, measure_agreement
from annotation.pages.tables import csv_file
from annotation.pages.templatetags.figures import plural
from annotation.reviews.models import ReadingPair
from annotation.work.models import Campaign
from voxloop.kernel.errors import NotFound
from voxloop.volume.agreement import TOLERANCE_MM

PAIR_HEAD = (
    *("scan", "site", "segment", "first_reader", "second_reader", "dice", "surface_dice_by_area", "tolerance_mm"),
    *("hd95_mm", "assd_mm", "lesion_f1", "first_ml", "second_ml", "difference_ml", "measured_utc"),
)


def agreement(request: PageRequest, campaign: Campaign) -> HttpResponse:
    """Everything on one page."""
    found = measure_agreement(request.user, campaign)
    scans = {pair.first.annotation.scan.code: (pair.first_ml, pair.second_ml) for pair in reversed(found.pairs)}
    return render(
        request,
        "agreement.html",
        {
            "found": found,
            "tolerance": TOLERANCE_MM,
            "why": why_empty(campaign, found),
            "plot": differences([(code, *both) for code, both in sorted(scans.items())], found.limits)
            if found.pairs
            else "",
        },
    )


def agreement_csv(request: PageRequest, campaign: Campaign, name: str) -> HttpResponse:
    """`pairs`: each pair of readings, of any finding and by class. `readers`: the matrix, a line for two readers."""
    found = measure_agreement(request.user, campaign)
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = {
        "pairs": (
            PAIR_HEAD,
            [_line(segment, pair) for segment, pair in [*(("any", pair) for pair in found.pairs), *found.segments]],
        ),
        "readers": (
            ("reader", "other_reader", "pairs", "dice", "surface_dice_by_area", "difference_ml"),
            [
                (row, column, cell.pairs, f"{cell.dice:.4f}", f"{cell.surface_dice:.4f}", f"{cell.difference_ml:.2f}")
                for row, cells in found.matrix
                for column, cell in zip(found.readers, cells, strict=True)
                if cell is not None
            ],
        ),
    }
    if name not in tables:
        raise NotFound
    return csv_file(f"{campaign.slug}-agreement-{name}", *tables[name])


def why_empty(campaign: Campaign, found: Found) -> str:
    """What has to happen before there is something to see."""
    if found.planned:
        return (
            f"{plural(found.planned, 'scan')} with several readers, {plural(found.handed_in, 'reading')} handed in. "
            "A pair is measured a minute after both of its readers handed in."
        )
    if campaign.overlap_share:
        return "Scans with several readers are drawn when the next batch is made."
    return (
        "No scan has several readers. An administrator sets the share of scans with several independent readers in the "
        "campaign's settings; it counts from the next batch on."
    )


def _line(segment: str, pair: ReadingPair) -> tuple[object, ...]:
    scan = pair.first.annotation.scan
    return (
        *(scan.code, scan.site.code, segment, pair.first.author.username, pair.second.author.username),
        *(f"{pair.dice:.4f}", f"{pair.surface_dice:.4f}", f"{pair.tolerance_mm:g}"),
        *("" if mm is None else f"{mm:.2f}" for mm in (pair.hd95_mm, pair.assd_mm)),
        *(f"{pair.lesion_f1:.4f}", f"{pair.first_ml:.3f}", f"{pair.second_ml:.3f}"),
        *(f"{pair.first_ml - pair.second_ml:.3f}", pair.measured_at.isoformat()),
    )
