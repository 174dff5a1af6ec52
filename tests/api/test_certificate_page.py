"""The certificate on the page of a batch: drawn, judged, accepted with the password; and what a reviewer gets."""

import re
from typing import Any

import pytest
from django.urls import reverse

from annotation.reviews.claims import give_back_round
from annotation.reviews.models import Certificate, ReviewRound
from tests.api.test_pages import log_in, text
from tests.factories.batches import handed_in, judge
from tests.factories.clients import logged_in
from tests.factories.world import PASSWORD, World, publish

pytestmark = pytest.mark.django_db
FORM = {"confidence": "0.8", "excluded": "2", "extras": "1"}


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_sample_is_drawn_and_the_rest_accepted(world: World) -> None:
    batch = handed_in(world)
    client = log_in(world, "coordinator")
    path = reverse("batch", args=[batch.pk])
    assert "80 %: 5 of 6 to exclude 1 bad scan" in text(client, path)
    assert client.post(reverse("batch_sample", args=[batch.pk]), FORM).status_code == 302
    certificate = Certificate.objects.get()
    page = words(text(client, path))
    assert "3 scans of 6 drawn at random" in page
    assert "0 of 3 drawn scans judged, no defect so far. 2 scans wait for them." in page
    assert certificate.seed not in page  # with it a judge could tell which were drawn
    for row in certificate.rounds.filter(part="sample"):
        judge(world, row)
    page = words(text(client, path))
    assert "None of 3 scans drawn at random had a defect: fewer than 2 of the 6 handed in are bad, with 80.0 %" in page
    accept = reverse("batch_accept_rest", args=[batch.pk])
    client.post(accept, {"password": "not it"})
    client.post(accept, {})
    certificate.refresh_from_db()
    assert certificate.state == "drawn"
    client.post(accept, {"password": PASSWORD})
    page = words(text(client, path))
    assert "coordinator accepted the other 2 scans on it." in page
    assert certificate.seed in page


def test_a_defect_is_said_and_what_is_proved_all_the_same(world: World) -> None:
    batch = handed_in(world)
    client = log_in(world, "coordinator")
    client.post(reverse("batch_sample", args=[batch.pk]), FORM)
    sample = list(Certificate.objects.get().rounds.filter(part="sample"))
    judge(world, sample[0], verdict="returned")
    path = reverse("batch", args=[batch.pk])
    assert "1 defect in the sample: every scan of the batch is reviewed." in words(text(client, path))
    for row in sample[1:]:
        judge(world, row)
    assert "1 of 3 scans drawn at random had a defect: at most 3 of the 6 handed in were bad, with 80 %" in words(
        text(client, path)
    )


def test_only_a_batch_that_is_handed_in_whole_offers_it(world: World) -> None:
    batch = publish(world, size=2)
    client = log_in(world, "coordinator")
    assert "Draw a sample" not in text(client, reverse("batch", args=[batch.pk]))
    answer = client.post(reverse("batch_sample", args=[batch.pk]), FORM, follow=True)
    assert "A sample stands for a whole batch" in answer.content.decode()
    assert not Certificate.objects.exists()


def test_a_judge_gets_the_same_of_what_was_drawn_and_of_what_was_not(world: World) -> None:
    """Of a drawn scan and of one reviewed for its risk, every answer to a reviewer has the same fields and values."""
    batch = handed_in(world)
    log_in(world, "coordinator").post(reverse("batch_sample", args=[batch.pk]), FORM)
    certificate = Certificate.objects.get()
    drawn = certificate.rounds.filter(part="sample").first()
    extra = certificate.rounds.get(part="extra")
    client = logged_in(world, "reviewer")
    seen = [of_round(client, row) for row in (drawn, extra)]
    assert seen[0] == seen[1]
    assert not [word for word in ("certificate", "sample", "drawn", "random") if word in str(seen).lower()]
    assert "certificate" not in client.get("/reviews/").content.decode().lower()


def of_round(client: Any, row: ReviewRound) -> dict[str, Any]:
    listed = next(one for one in client.get("/api/v1/reviews/").json()["results"] if one["id"] == str(row.pk))
    claimed = client.post(f"/api/v1/reviews/{row.pk}/claim", content_type="application/json").json()
    row.refresh_from_db()
    context = client.get(f"/api/v1/assignments/{row.review_id}/context").json()
    give_back_round(round_id=row.pk, actor=row.reviewer)
    return {name: plain(value, row) for name, value in (("list", listed), ("claim", claimed), ("context", context))}


def plain(value: Any, row: ReviewRound) -> Any:
    """Without ids, times and codes, what belongs to the scan, and the place in the batch."""
    if isinstance(value, dict):
        left_out = ("position", "next", "previous", "index", "shape_zyx", "site", "voxels")
        return {name: plain(one, row) for name, one in value.items() if name not in left_out}
    if isinstance(value, list):
        return [plain(one, row) for one in value]
    if not isinstance(value, str):
        return value
    value = value.replace(row.annotation.scan.code, "CODE")
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)?|[0-9a-f]{64}", "…", value)
