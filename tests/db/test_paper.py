"""Documents of a release: every count is a query on its manifest, in all three forms, and no text is a command."""

import io
import zipfile
from typing import Any
from xml.etree import ElementTree

import pytest
from django.urls import reverse

from annotation.datasets import services
from annotation.datasets.paper import facts
from annotation.datasets.paper.document import Chart, Table, write_document
from annotation.datasets.paper.forms import MEDIA_TYPES, render_blocks
from annotation.reviews.agreement import measure_pairs
from annotation.reviews.claims import claim_round
from annotation.reviews.services import approve_round, submit_assignment
from annotation.scans.models import Scan
from annotation.scans.services import withdraw_scan
from annotation.work.models import Assignment
from tests.api.test_pages import log_in
from tests.factories.overlap import read_twice
from tests.factories.world import World, approve, label, publish
from voxloop.kernel.clock import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(world: World) -> Any:
    """Six scans: one withdrawn, one untouched, one waits, three approved (one empty); names like formulas."""
    Scan.objects.filter(pk=world.scans[0].pk).update(
        facts={"manufacturer": "=cmd|'/C calc'!A0", "model": "@SUM(1)", "kernel": "B30f", "slice_thickness_mm": 2.5}
    )
    rows = list(publish(world, size=4).assignments.select_related("scan", "campaign").order_by("position"))
    for number, row in enumerate(rows):
        label(world, row, is_empty=number == 1)
        if number < 3:
            approve(world, row)
    submit_assignment(assignment_id=rows[3].pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    untouched = Scan.objects.exclude(assignments__isnull=False).first()
    assert untouched is not None
    withdraw_scan(scan_id=untouched.pk, actor=world["admin"], why="consent taken back")
    made = services.create_release(
        campaign=world.campaign, name="+r1", actor=world["datamanager"], notes=r"\input{/etc/passwd} & 50 %"
    )
    return services.freeze_release(release_id=made.pk, actor=world["datamanager"])


def test_the_flow_adds_up_and_every_count_is_of_the_manifest(world: World, release: Any) -> None:
    frozen = release.manifest
    scans, flow = frozen["scans"], frozen["flow"]
    assert (flow["received"], flow["withdrawn"], flow["eligible"]) == (6, 1, 5)
    assert (flow["labelled"], flow["approved"], flow["released"]) == (4, 3, len(scans))
    blocks = write_document(frozen, release.manifest_hash)
    chart = next(block for block in blocks if isinstance(block, Chart))
    for step, after in zip(chart.steps, chart.steps[1:], strict=False):
        assert step.scans - sum(count for _, count in step.left) == after.scans, step
    assert dict(chart.sides) == {side: n for side in facts.SIDES if (n := sum(scan["split"] == side for scan in scans))}
    tables = {table.title.partition(".")[0]: table for table in blocks if isinstance(table, Table)}
    patients = {row[0]: row[1:] for row in tables["Table 1"].rows}
    assert patients["Patients"][-1] == str(len({scan["subject"] for scan in scans}))
    classes = {row[0]: row[1:] for row in tables["Table 2"].rows}
    sides = [side for side in facts.SIDES if any(scan["split"] == side for scan in scans)]
    sites = sorted({scan["site"] for scan in scans})
    drawn = [scan for scan in scans if scan["layers"]["findings"]["voxel_counts"].get("1")]
    assert classes["Findings: Infectious opacity"] == [
        *(str(sum(scan["split"] == side for scan in drawn)) for side in sides),
        *(str(sum(scan["site"] == site for scan in drawn)) for site in sites),
        str(len(drawn)),
    ]
    covid = [scan for scan in scans if scan["answers"]["diagnosis"] == "covid19"]
    assert classes["Diagnosis class: COVID-19"][-1] == str(len(covid)) == "2"
    assert sum(int(row[3]) for row in tables["Table 3"].rows) == len(scans)
    assert tables["Table 3"].rows[0][:3] == ["'=cmd|'/C calc'!A0", "'@SUM(1)", "B30f"]


def test_three_forms_hold_the_same_and_run_nothing(world: World, release: Any) -> None:
    frozen = release.manifest
    blocks = write_document(frozen, release.manifest_hash)
    made = {form: render_blocks(blocks, frozen, form) for form in MEDIA_TYPES}
    assert made == {form: render_blocks(blocks, frozen, form) for form in MEDIA_TYPES}
    latex = made["tex"].decode()
    assert r"\textbackslash{}input\{/etc/passwd\} \& 50 \%" in latex
    assert r"\input{/etc" not in latex
    assert latex.count(r"\begin{longtable}") == latex.count(r"\end{longtable}") == 4
    with zipfile.ZipFile(io.BytesIO(made["docx"])) as packed:
        words = "".join(ElementTree.fromstring(packed.read("word/document.xml")).itertext())
    html = made["html"].decode()
    for text in ("In the release", "Infectious opacity", "Datasheet", "Methods", release.manifest_hash):
        assert text in words
        assert text in html
    assert "&#x27;=cmd|&#x27;/C calc&#x27;!A0" in html
    assert "'=cmd|'/C calc'!A0" in words


def test_agreement_of_readers_comes_with_intervals(world: World) -> None:
    read_twice(world, scans=5)
    measure_pairs()
    rows = Assignment.objects.filter(rounds__isnull=False, reader=1).select_related("scan", "campaign").distinct()
    for row in rows:
        round_ = row.rounds.get()
        claim_round(round_id=round_.pk, actor=world["reviewer"])
        approve_round(round_id=round_.pk, actor=world["reviewer"], signed_at=now())
    made = services.create_release(campaign=world.campaign, name="r2", actor=world["datamanager"])
    frozen = services.freeze_release(release_id=made.pk, actor=world["datamanager"]).manifest
    found = facts.measure_agreement(frozen)
    assert found is not None
    pairs = [pair for scan in frozen["scans"] for pair in scan["readings"]]
    assert (found.pairs, found.scans) == (len(pairs), 5)
    assert found.dice is not None
    assert found.dice.value == pytest.approx(sum(pair["dice"] for pair in pairs) / len(pairs))
    assert found.dice.low <= found.dice.value <= found.dice.high


def test_the_page_and_its_files(world: World, release: Any) -> None:
    client = log_in(world, "datamanager")
    page = client.get(reverse("release_paper", args=[release.pk]))
    assert page.status_code == 200
    assert b"Table 2. Scans with each class" in page.content
    for form, media_type in MEDIA_TYPES.items():
        answer = client.get(reverse(f"release_paper_{form}", args=[release.pk]))
        assert (answer.status_code, answer["Content-Type"]) == (200, media_type)
    draft = services.create_release(campaign=world.campaign, name="r3", actor=world["datamanager"])
    refused = client.get(reverse("release_paper_tex", args=[draft.pk]))
    assert (refused.status_code, refused["Voxloop-Code"]) == (409, "not_frozen")
