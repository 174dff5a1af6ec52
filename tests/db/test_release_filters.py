"""What the filters of a draft take and leave, what travels with a release, and partial exports of it."""

import json
from datetime import date
from typing import Any

import pytest

from annotation.datasets import services
from annotation.datasets.choosing import choose_rounds
from annotation.datasets.downloading import find_export
from annotation.datasets.exporters.manifest import manifest_hash
from annotation.datasets.models import Release
from annotation.datasets.selectors import list_candidates
from annotation.datasets.verify import verify
from annotation.reviews.models import ReadingPair, ReviewRound
from annotation.scans.models import Scan
from tests.api.test_pages import log_in
from tests.db.test_exports import exported
from tests.factories.world import World, approve, label, publish
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(world: World) -> World:
    """Five scans approved (sites a, a, b, b, c), one of them empty; slices of 1, 2, 3, 4 and 5 mm."""
    for position, assignment in enumerate(publish(world, size=6).assignments.order_by("position"), start=1):
        if position == 6:
            break
        label(world, assignment, is_empty=position == 2)
        approve(world, assignment)
        facts = {**assignment.scan.facts, "slice_thickness_mm": float(position)}
        Scan.objects.filter(pk=assignment.scan_id).update(facts=facts)
    return world


def draft(world: World, **choice: Any) -> Release:
    named = {"name": f"r{Release.objects.count() + 1}", **choice}
    return services.create_release(campaign=world.campaign, actor=world["datamanager"], **named)


def read_again(world: World, found: ReviewRound, dice: float) -> None:
    """A reading of the scan by somebody else that agrees so far, as the measuring of pairs keeps it."""
    row = found.annotation
    second = type(row).objects.create(
        campaign=row.campaign, batch=row.batch, scan=row.scan, person=world["annotator2"], reader=2, position=90
    )
    other = ReviewRound.objects.create(annotation=second, author=world["annotator2"], number=1)
    numbers = {"dice": dice, "surface_dice": dice, "tolerance_mm": 2, "lesion_f1": 1, "first_ml": 1, "second_ml": 1}
    ReadingPair.objects.create(campaign=row.campaign, first=found, second=other, **numbers)


def test_each_filter_takes_what_fits_and_tells_what_it_leaves(approved: World) -> None:
    rounds = {found.annotation.scan.code: found for found in list_candidates(draft(approved))}
    codes = sorted(rounds, key=lambda code: rounds[code].annotation.scan.facts["slice_thickness_mm"])
    for code, dice in zip(codes[:3], (0.9, 0.7, 0.85), strict=True):
        read_again(approved, rounds[code], dice)
    today = now().date()
    cases: list[tuple[dict[str, Any], list[str], dict[str, int]]] = [
        ({}, codes, {}),
        ({"thickest_mm": 3.0}, codes[:3], {"with thicker slices": 2}),
        ({"segments": ["findings/infectious_opacity"]}, [codes[0], *codes[2:]], {"without any of the classes": 1}),
        ({"least_agreement": 0.8}, [codes[0], codes[2]], {"with less agreement, or read only once": 3}),
        ({"approved_from": today}, codes, {}),
        ({"approved_until": today.replace(year=today.year - 1)}, [], {"approved after the last day": 5}),
        ({"approved_from": today.replace(year=today.year + 1)}, [], {"approved before the first day": 5}),
        (
            {"sides": ["train"], "thickest_mm": 2.0},
            codes[:2],
            {"on another side of the split": 1, "with thicker slices": 2},
        ),
    ]
    for filters, taken, left in cases:
        made = draft(approved, **filters)
        assert [found.annotation.scan.code for found in list_candidates(made)] == sorted(taken), filters
        chosen = choose_rounds(approved.campaign, made.filters)
        assert (len(chosen.taken), dict(chosen.left)) == (len(taken), left), filters
        assert chosen.approved == 5


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        ({"sides": ["nowhere"]}, "unknown_side"),
        ({"segments": ["findings/none"]}, "unknown_segment"),
        ({"thickest_mm": float("nan")}, "bad_thickness"),
        ({"least_agreement": 1.5}, "bad_agreement"),
        ({"licence": "x" * 20_001}, "bad_licence"),
        ({"approved_from": date(2026, 2, 1), "approved_until": date(2026, 1, 31)}, "bad_days"),
        ({"name": "2026\u202e.11"}, "bad_release"),
        ({"name": "../11"}, "bad_release"),
    ],
)
def test_filters_that_mean_nothing_are_refused(world: World, choice: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        draft(world, **choice)
    assert refusal.value.code == code


def test_the_page_counts_while_the_filters_are_typed(approved: World) -> None:
    client, at = log_in(approved, "datamanager"), f"/campaigns/{approved.campaign.slug}/releases/new/count/"
    told = " ".join(client.get(at, {"thickest_mm": "3", "sites": ["a", "b"]}).content.decode().split())
    assert "Takes 3 of 5 approved scans" in told
    assert "1 of another site · 1 with thicker slices" in told
    assert "Slices at most, mm:" in client.get(at, {"thickest_mm": "thin"}).content.decode()
    made = draft(approved, thickest_mm=3.0, sites=["a", "b"])
    page = " ".join(client.get(f"/releases/{made.pk}/").content.decode().split())
    assert "1 of another site · 1 with thicker slices" in page
    assert "3 mm thick" in page


def test_filters_note_and_licence_travel_with_the_export(approved: World, settings: Any) -> None:
    made = draft(approved, thickest_mm=4.0, notes="Slices of one scanner.", licence="cc-by-4.0")
    release = services.freeze_release(release_id=made.pk, actor=approved["datamanager"])
    export = exported(approved, release, formats=["tables", "paper", "nnunet"])
    folder = settings.EXPORT_ROOT / f"chest-ct-{release.name}"
    assert verify(folder, seal=export.seal).is_proven
    told = json.loads((folder / "manifest.json").read_text())["frozen"]["release"]
    assert (told["filters"]["thickest_mm"], told["notes"], told["licence"]) == (4.0, release.notes, "CC-BY-4.0")
    readme, sheet = (folder / "README.md").read_text(), (folder / "paper/paper.html").read_text()
    for text in (readme, sheet):
        assert "4 mm thick" in text
        assert release.notes in text
        assert "CC-BY-4.0" in text
    croissant = json.loads((folder / "croissant.json").read_text())
    assert croissant["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert croissant["description"] == release.notes
    for path in ("dataset.json", "nnunet/Dataset100_ChestCt/dataset.json"):
        listed = json.loads((folder / path).read_text())
        assert (listed["licence"], listed["note"]) == ("CC-BY-4.0", release.notes)


def test_a_part_is_exported_beside_the_whole_and_says_what_it_is(approved: World, settings: Any) -> None:
    release = services.freeze_release(release_id=draft(approved).pk, actor=approved["datamanager"])
    whole = exported(approved, release)
    part = exported(approved, release, sides=["train"], sites=["a"], formats=["paper"])
    assert part.job.state == "succeeded", part.job.error
    name = part.job.result["name"]
    assert name.startswith(f"chest-ct-{release.name}-part-")
    folder = settings.EXPORT_ROOT / name
    verdict = verify(folder, seal=part.seal)
    assert (verdict.faults, verdict.scans, verdict.release) == ([], 2, f"{release.name} (part: train, site a)")
    assert verify(settings.EXPORT_ROOT / f"chest-ct-{release.name}", seal=whole.seal).scans == 5
    frozen = json.loads((folder / "manifest.json").read_text())["frozen"]
    wanted = [scan for scan in release.manifest["scans"] if scan["site"] == "a"]
    assert frozen["scans"] == wanted
    assert frozen["release"]["part"] == {
        "sides": ["train"],
        "sites": ["a"],
        "scans": 2,
        "of": 5,
        "manifest_hash": release.manifest_hash,
    }
    assert verdict.manifest_hash == part.job.result["manifest_hash"] == manifest_hash(frozen) != release.manifest_hash
    readme = (folder / "README.md").read_text()
    assert "**This is a part of a release:** 2 of its 5 scans." in readme
    assert "3 not in this part" in (folder / "paper/paper.html").read_text().replace("−", "").replace("</text>", "")
    assert find_export(whole.pk, approved["datamanager"]) == whole
    assert find_export(part.pk, approved["datamanager"]) == part
    page = " ".join(log_in(approved, "datamanager").get(f"/releases/{release.pk}/").content.decode().split())
    assert "Part: train, site a" in page
    assert "Replaced by" not in page


def test_a_choice_that_leaves_nothing_out_is_the_whole_and_one_that_leaves_all_out_is_refused(approved: World) -> None:
    release = services.freeze_release(release_id=draft(approved).pk, actor=approved["datamanager"])
    actor = approved["datamanager"]
    every = services.request_export(release_id=release.pk, actor=actor, sites=["a", "b", "c"])
    assert every.part is None
    cases: list[tuple[dict[str, Any], str]] = [
        ({"sides": ["test"]}, "part_empty"),
        ({"sites": ["zz"]}, "unknown_site"),
        ({"sides": ["other"]}, "unknown_side"),
    ]
    for choice, code in cases:
        with pytest.raises(Invalid) as refusal:
            services.request_export(release_id=release.pk, actor=actor, **choice)
        assert refusal.value.code == code
