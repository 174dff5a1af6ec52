"""Gold scans and a certification through the pages and the viewer: accessible, at every width, in both themes."""

from typing import Any

from playwright.sync_api import expect

from annotation.reviews.claims import claim_round
from annotation.reviews.gold import make_gold, measure_gold
from annotation.reviews.models import GoldScan, PlantedFault, Trial
from annotation.reviews.planting import plant_beside
from annotation.reviews.services import approve_round, return_round
from annotation.work.certifying import ask_to_certify_again
from annotation.work.gold import hide_gold
from tests.browser.test_choosing import faults_of
from tests.chromium import shoot
from tests.db.test_style import made as measured
from tests.factories.gold import approved, draw_ball, read, set_policy
from tests.factories.planted import handed_in, planted
from tests.factories.world import World, invite_readers, make_scan, publish
from tests.journeys.viewer import Viewer
from voxloop.kernel.clock import now


def test_a_newcomer_passes_the_certification_and_hidden_gold_is_plotted(live_world: World, new_page: Any) -> None:
    world = live_world
    approved(world, 3)
    page = new_page("coordinator")
    page.goto("/campaigns/chest-ct/")
    page.get_by_role("link", name="Gold", exact=True).click()
    expect(page.get_by_role("heading", name="No gold scan yet")).to_be_visible()
    assert not faults_of(new_page, page.url, "gold-empty")
    for code in ("VX-A-0001", "VX-A-0002"):
        page.get_by_role("checkbox", name=f"Choose {code}").check()
    page.get_by_label("Put them into the certification set").check()
    page.get_by_role("button", name="Make gold").click()
    expect(page.locator("#toasts")).to_contain_text("2 scans are gold now.")
    page.get_by_role("checkbox", name="Choose VX-B-0001").check()
    page.get_by_role("button", name="Make gold").click()
    expect(page.locator("#toasts")).to_contain_text("1 scan is gold now.")
    assert GoldScan.objects.filter(certifies=True).count() == 2

    world.people |= {person.username: person for person in invite_readers(world, 1)}
    set_policy(world.campaign, certifies=True, certification_dice=0.7)
    newcomer = new_page("reader0")
    newcomer.goto("/worklist/")
    shoot(newcomer, "certification-begin")
    newcomer.get_by_role("button", name="Begin attempt 1").click()
    newcomer.wait_for_url("**/view/**")
    trial = Trial.objects.get()
    first, second = trial.batch.assignments.select_related("scan", "campaign").order_by("position")
    draw_ball(world, first, "reader0", 7.0)
    newcomer.reload()
    Viewer(newcomer).wait_ready()
    newcomer.get_by_test_id("submit").click()
    told = newcomer.get_by_test_id("feedback")
    expect(told).to_contain_text("Attempt 1: 1 of 2 scans")
    expect(newcomer.get_by_test_id("differences-left")).to_contain_text("difference to the reference")
    expect(newcomer.get_by_test_id("differences")).to_contain_text("Differs")
    shoot(newcomer, "certification-feedback")
    newcomer.get_by_test_id("go-on").click()
    newcomer.wait_for_url(f"**/view/{second.pk}/")
    read(world, second, "reader0", 8.5)
    newcomer.goto(f"/view/{second.pk}/")
    expect(newcomer.get_by_test_id("attempt")).to_contain_text("Your work is open.")

    set_policy(world.campaign, certifies=False)
    for seed in range(6, 10):
        make_scan(world, "b", seed=seed)
    batch = publish(world, to="annotator2", size=3)
    hide_gold(batch_id=batch.pk, actor=world["coordinator"], count=3)
    for number, row in enumerate(batch.assignments.filter(is_gold=True).select_related("scan", "campaign")):
        read(world, row, "annotator2", 7.0 + number)
    assert measure_gold() == 3
    page.reload()
    expect(page.get_by_role("img", name="Dice of hidden gold readings, in order, by person")).to_be_visible()
    assert not faults_of(new_page, page.url, "gold")
    with page.expect_download() as sent:
        page.get_by_role("link", name="Every reading as CSV").click()
    assert sent.value.suggested_filename == "chest-ct-gold.csv"
    page.goto(f"/batches/{batch.pk}/")
    page.get_by_role("button", name="Hide gold…").click()
    shoot(page, "gold-hide")


def test_the_coordinator_reads_what_measures_people(live_world: World, new_page: Any) -> None:
    world = live_world
    page = new_page("coordinator")
    page.goto("/campaigns/chest-ct/")
    page.get_by_role("link", name="Reviewers", exact=True).click()
    expect(page.get_by_role("heading", name="No fault is planted")).to_be_visible()
    shoot(page, "reviewers-empty")
    planted(world, 1)
    for host in handed_in(world, 2):
        plant_beside(host)
    for number, made in enumerate(PlantedFault.objects.order_by("created_at")):
        claim_round(round_id=made.round_id, actor=world["reviewer2"])
        if number:
            approve_round(round_id=made.round_id, actor=world["reviewer2"], signed_at=now())
        else:
            return_round(round_id=made.round_id, actor=world["reviewer2"], comments=[{"text": "moved"}])
    page.reload()
    expect(page.get_by_role("row", name="reviewer2 1 of 2")).to_be_visible()
    assert not faults_of(new_page, page.url, "reviewers")

    make_scan(world, "b", seed=40)
    measured(world, [3.0, 4.0, 5.0, 3.5, 4.5, 5.5, 2.5, 4.0, 4.2, 3.8])
    page.goto("/campaigns/chest-ct/gold/")
    page.get_by_role("link", name="Style of annotator", exact=True).click()
    expect(page.get_by_text("Marks more than the panel")).to_be_visible()
    assert not faults_of(new_page, page.url, "style")

    set_policy(world.campaign, certifies=True)
    make_gold(campaign=world.campaign, scan_id=world.scans[0].pk, actor=world["coordinator"], certifies=True)
    member = world.campaign.members.get(user=world["annotator2"], role="annotator")
    member.certified_at = now()
    member.save()
    ask_to_certify_again(campaign=world.campaign, actor=world["coordinator"], why="Vessels are left out now.")
    reader = new_page("annotator2")
    assert not faults_of(new_page, f"{page.url.split('/campaigns')[0]}/worklist/", "certify-again", "annotator2")
    reader.goto("/worklist/")
    expect(reader.get_by_text("Vessels are left out now.")).to_be_visible()
    page.goto("/campaigns/chest-ct/settings/")
    page.get_by_label("Annotators certify again").scroll_into_view_if_needed()
    shoot(page, "settings-certify-again")
    for name, who, address in (
        ("reviewers", page, "/campaigns/chest-ct/reviewers/"),
        ("style", page, f"/campaigns/chest-ct/readers/{world['annotator'].pk}/"),
        ("certify-again", reader, "/worklist/"),
    ):
        who.set_viewport_size({"width": 390, "height": 900})
        who.goto(address)
        assert who.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        shoot(who, f"{name}-390")
