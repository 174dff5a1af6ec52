"""The page of what pre-annotation brought, the page of a batch with why, and both over HTTP."""

import pytest
from django.urls import reverse

from annotation.learning.effort import measure_when_due
from annotation.learning.models import ModelVersion
from annotation.work.models import Batch, CampaignScan, ScanScore
from tests.api.test_pages import log_in, text
from tests.factories.effort import foresee, work
from tests.factories.evidence import measured, summary_of
from tests.factories.world import World, publish

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/chest-ct/models/effort/"


def models_of(world: World, masks: list[tuple[int, float]]) -> list[ModelVersion]:
    """Measured models that learned from so many masks."""
    found = []
    for number, (count, dice) in enumerate(masks, start=1):
        model, _ = measured(world, number, summary_of([dice] * 3))
        items = [dict(model.run.manifest["items"][0]) for _ in range(count)]
        model.run.manifest = {**model.run.manifest, "items": items}
        model.run.results = {**(model.run.results or {}), "seconds": 1800.0}
        model.run.save()
        found.append(model)
    return found


def test_an_empty_page_says_what_to_do(world: World) -> None:
    page = text(log_in(world, "coordinator"), PAGE)
    assert "Nothing is measured yet" in page
    assert "A scan is measured a minute after it was approved" in page
    work(world, world.scans[0], minutes=3)
    measure_when_due()
    page = text(log_in(world, "coordinator"), PAGE)
    assert "no model had seen one of them before. Train a model" in page
    assert "Too early to say: 0 models with a Dice on the hold-out" in page
    assert "No approved scan began from a model&#x27;s mask." in page or "began from a model's mask." in page


def test_minutes_edits_drift_and_the_rule_with_their_figures(world: World) -> None:
    model = models_of(world, [(50, 0.50), (100, 0.601), (200, 0.699), (400, 0.80)])[-1]
    for scan, minutes, is_blank in zip(
        world.scans, (10, 12, 4, 5, 6, 3), (True, True, False, False, False, False), strict=True
    ):
        foresee(world, model, scan, radius=8.0)
        work(world, scan, minutes=minutes, is_blank=is_blank)
    measure_when_due()
    client = log_in(world, "datamanager")
    page = text(client, PAGE)
    assert "+6.5<small> min</small>" in page
    assert "95 % +" in page
    assert "2.00<small> h of the machine</small>" in page
    assert "3 more batches (142 masks to learn from) would raise Dice by more than 0.01" in page
    for title in ("Active minutes per scan, blank against shown", "mL added to and removed", "mL between the reader"):
        assert f'aria-label="{title}' in page
    assert "m4, blank: 11.0 min, n 2, 95 % " in page
    assert "What it brought" in text(client, "/campaigns/chest-ct/models/")
    scans = client.get(reverse("effort_csv", args=["chest-ct", "scans"])).content.decode().splitlines()
    assert len(scans) == 7
    assert scans[0].startswith("scan,site,arm,model,handed_in_utc,active_minutes")
    assert sum(",blank,m4," in line for line in scans) == 2
    lesions = client.get(reverse("effort_csv", args=["chest-ct", "lesions"])).content.decode().splitlines()
    assert lesions[0] == "scan,site,arm,model,lesion,fate,proposed_ml,kept_ml,drawn_ml"
    assert [line.split(",")[5] for line in lesions[1:]] == ["changed"] * 6
    assert sum(",blank,m4,1,changed," in line for line in lesions) == 2
    assert "Began from the newest model&#x27;s mask" in page
    assert "Began blank, though a model had a mask" in page
    groups = client.get(reverse("effort_csv", args=["chest-ct", "groups"])).content.decode()
    assert "m4,shown,4,4.50," in groups
    curve = client.get(reverse("effort_csv", args=["chest-ct", "curve"])).content.decode().split()
    assert curve == ["model,masks,dice", "m1,50,0.5000", "m2,100,0.6010", "m3,200,0.6990", "m4,400,0.8000"]
    assert client.get(reverse("effort_csv", args=["chest-ct", "people"])).status_code == 404
    rows = client.get("/api/v1/efforts/?arm=blank").json()
    assert [row["active_seconds"] for row in rows["results"]] == [720, 600]
    assert log_in(world, "annotator").get("/api/v1/efforts/").json()["results"] == []
    assert log_in(world, "annotator").get(PAGE).status_code == 403


def test_a_draft_shows_why_each_scan_was_chosen_and_the_mix(world: World) -> None:
    client = log_in(world, "coordinator")
    form = text(client, reverse("batch_new", args=["chest-ct"]))
    assert "In order of their codes" in form
    assert "Least sure first" not in form  # there are no scores yet
    for number, scan in enumerate(world.scans):
        ScanScore.objects.create(
            campaign=world.campaign, scan=scan, strategy="hybrid", score=number, why="uncertain", surer=number / 10
        )
    last = CampaignScan.objects.filter(scan=world.scans[-1])
    last.update(score_model="m3", uncertainty=0.41, extent_ml=62.0, finding="infectious_opacity")
    assert "Most useful: unsure, varied" in text(client, reverse("batch_new", args=["chest-ct"]))
    made = client.post(
        reverse("batch_new", args=["chest-ct"]), {"chosen_by": "hybrid", "size": 3, "review_policy": "all"}
    )
    batch = Batch.objects.get()
    assert (batch.state, batch.chosen_by) == ("draft", "hybrid")
    page = text(client, made["Location"])
    assert "m3 is surer of 50 % of the scans it was chosen from." in page
    assert "What it is made of" in page
    assert "50 mL and more" in page
    assert "Publish batch" in page
    told = client.get(f"/api/v1/batches/{batch.pk}/choice").json()
    assert told["by_why"] == {"uncertain": 3}
    assert told["by_extent"] == {"50 mL and more": 1, "not known": 2}
    first = told["scans"][0]
    assert (first["surer"], first["model"], first["finding"]) == (0.5, "m3", "infectious_opacity")


def test_who_reads_a_scan_is_not_told_why_it_was_chosen(world: World) -> None:
    batch = publish(world, size=2)
    answer = log_in(world, "annotator").get(f"/api/v1/batches/{batch.pk}/choice")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert log_in(world, "outsider").get(f"/api/v1/batches/{batch.pk}/choice").status_code == 404
