"""The page of agreement in a real browser: accessible, at every width, in both themes."""

from typing import Any

import numpy as np
from playwright.sync_api import expect

from annotation.reviews.agreement import measure_pairs
from annotation.reviews.models import ReadingPair
from annotation.work.services import claim_assignment
from tests.browser.test_choosing import faults_of
from tests.db.test_agreement import draw
from tests.factories.overlap import overlap
from tests.factories.world import World, ball, invite_readers, publish


def test_how_far_readers_agree(live_world: World, new_page: Any) -> None:
    assert not faults_of(new_page, "/campaigns/chest-ct/agreement/", "agreement-empty")
    world = live_world
    overlap(world.campaign)
    publish(world, to=None, size=12)
    world.people |= {person.username: person for person in invite_readers(world, 1)}
    for number, who in enumerate(["annotator", "annotator2", "reader0"] * 8):
        row = claim_assignment(actor=world[who])
        if row is not None:
            labels = np.roll(ball(radius=7.0 + (7 * number) % 4).astype(np.uint8), number % 3, axis=2)
            labels[20:] *= np.uint8(1 + 3 * (number % 2))
            draw(world, row, who, labels, diagnosis=("covid19", "other_infection")[number % 5 == 0])
    assert measure_pairs() == 6
    page = new_page("coordinator")
    page.goto("/campaigns/chest-ct/")
    page.get_by_role("link", name="Agreement").click()
    expect(page.get_by_role("img", name="Difference of two readers' volumes against their mean")).to_be_visible()
    assert not faults_of(new_page, page.url, "agreement")
    with page.expect_download() as sent:
        page.get_by_role("link", name="Every pair as CSV").click()
    assert sent.value.suggested_filename == "chest-ct-agreement-pairs.csv"
    least = ReadingPair.objects.filter(segment=0).order_by("dice").first()
    page.get_by_role("row", name=least.first.annotation.scan.code).get_by_role("link").click()
    expect(page.get_by_role("heading", name=least.first.annotation.scan.code)).to_be_visible()
