"""Documents of a release: every count is a query on its manifest, in all three forms, and no text is a command."""

import io
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet
import pytest
from django.urls import reverse

from annotation.datasets import services
from annotation.datasets.exporters.listing import Listing, ScanVoxels
from annotation.datasets.exporters.tables import Writer
from annotation.datasets.flow import QUANTITIES
from annotation.datasets.paper import facts
from annotation.datasets.paper.document import Chart, Table, Text, write_document
from annotation.datasets.paper.forms import MEDIA_TYPES, render_blocks
from annotation.reporting.models import Measurement
from annotation.reviews.agreement import measure_pairs
from annotation.reviews.claims import claim_round
from annotation.reviews.services import approve_round, submit_assignment
from annotation.scans.models import Scan
from annotation.scans.services import withdraw_scan
from annotation.work.models import Assignment
from tests.api.test_pages import log_in
from tests.db.test_quantities import measure_all
from tests.factories.overlap import read_twice
from tests.factories.phantoms import SEED, add_phantom, approve_phantom, give_layer, phantom
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


def test_lungs_lobes_and_score_are_the_kept_ones_and_every_count_is_of_the_manifest(
    world: World, tmp_path: Path
) -> None:
    """Three approved scans: one with lobes, one with lungs from the image, one that is not measured yet."""
    scans = [add_phantom(world), add_phantom(world, seed=SEED + 1, site="b")]
    give_layer(world, scans[0], "anatomy", phantom().lobes_zyx)
    approve_phantom(world, scans[0])
    approve_phantom(world, scans[1], seed=SEED + 1)
    measure_all()
    late = publish(world, size=1).assignments.get()
    label(world, late)
    approve(world, late)
    made = services.create_release(campaign=world.campaign, name="r3", actor=world["datamanager"])
    release = services.freeze_release(release_id=made.pk, actor=world["datamanager"])
    frozen = release.manifest
    kept = {scan["code"]: scan["quantities"] for scan in frozen["scans"] if scan["quantities"]}
    values = {one.scan.code: one.values for one in Measurement.objects.select_related("scan")}
    assert {code: {name: one[name] for name in QUANTITIES} for code, one in values.items()} == {
        code: {name: one[name] for name in QUANTITIES} for code, one in kept.items()
    }
    blocks = write_document(frozen, release.manifest_hash)
    tables = {table.title.partition(".")[0]: table for table in blocks if isinstance(table, Table)}
    severities = {row[0]: row[1:] for row in tables["Table 2"].rows if row[0].startswith("Severity")}
    sites = sorted({scan["site"] for scan in frozen["scans"]})
    for severity in (*facts.SEVERITIES, None):
        those = [scan for scan in frozen["scans"] if scan["quantities"].get("severity") == severity]
        told = severities[f"Severity: {severity or 'not scored'}"]
        assert told[-1] == str(len(those))
        assert told[-1 - len(sites) : -1] == [str(sum(scan["site"] == site for scan in those)) for site in sites]
    assert sum(int(row[-1]) for row in severities.values()) == 3
    rows = {row[0]: row[1:] for row in tables["Table 4"].rows}
    lungs = sorted(one["lungs"] for one in kept.values())
    assert rows["Lungs, mL"][-1].startswith(f"{sum(lungs) / 2:.4g} (")
    lobes = [part["percent"] for one in kept.values() for part in one["parts"] if part["key"] == "right_upper_lobe"]
    assert len(lobes) == 1
    assert rows["Right upper lobe, % opacity"][-1] == f"{lobes[0]:.4g} ({lobes[0]:.4g} to {lobes[0]:.4g}), n = 1"
    assert rows["Severity score, 0-25"][-1].endswith("n = 1")
    assert "2 scans measured" in tables["Table 4"].title
    assert any(isinstance(block, Text) and block.text.startswith("1 scan had no quantities") for block in blocks)
    writer = Writer(frozen, Listing(tmp_path))
    empty = np.zeros((1, 1, 1), np.uint8)
    told_of = [writer.add(scan, ScanVoxels(empty.astype(np.int16), {}), {}) for scan in frozen["scans"]]
    writer.finish(told_of)
    table = pyarrow.parquet.read_table(tmp_path / "tables/lungs.parquet").to_pylist()
    assert {row["scan"] for row in table} == set(kept)
    for code, one in kept.items():
        [whole] = [row for row in table if (row["scan"], row["part"]) == (code, "both")]
        assert (whole["lung"], whole["opacity"], whole["score"]) == (one["lungs"], one["opacity"], one["score"])
        parts = {row["part"]: row["opacity_percent"] for row in table if row["scan"] == code and row["part"] != "both"}
        assert parts == {part["key"]: part["percent"] for part in one["parts"]}


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
