"""Which other scan of a subject a person is shown, and which mask of it."""

import pytest

from annotation.masks.selectors import schema_of
from annotation.reviews.context import viewer_context
from annotation.reviews.facts import PriorFacts
from annotation.reviews.prior import find_prior
from annotation.scans.models import Scan
from annotation.scans.services import set_site_membership
from annotation.work.models import Assignment
from tests.factories.world import World, approve, label, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(world: World) -> tuple[Assignment, Assignment]:
    """Two scans of one subject at site a, both given to the annotator."""
    publish(world, size=6)
    first, second = Assignment.objects.filter(scan__site=world.sites["a"]).order_by("position")[:2]
    Scan.objects.filter(pk=second.scan_id).update(subject=first.scan.subject_id)
    return Assignment.objects.get(pk=first.pk), Assignment.objects.get(pk=second.pk)


def seen(world: World, assignment: Assignment, who: str) -> PriorFacts | None:
    return find_prior(assignment, schema_of(assignment), world[who])


def test_the_other_scan_is_shown_without_a_mask_while_it_is_to_be_read(
    world: World, pair: tuple[Assignment, Assignment]
) -> None:
    first, second = pair
    prior = viewer_context(first, world["annotator"]).prior
    assert prior is not None
    assert (prior.scan, prior.code, prior.mask) == (second.scan_id, second.scan.code, None)
    assert prior.volume == f"/api/v1/scans/{second.scan_id}/volume"


def test_its_approved_mask_comes_when_the_work_on_it_is_done(world: World, pair: tuple[Assignment, Assignment]) -> None:
    first, second = pair
    label(world, second)
    approve(world, second)
    prior = seen(world, first, "annotator")
    assert prior is not None
    assert str(prior.mask).startswith("/api/v1/revisions/")


def test_nothing_of_what_the_person_may_not_see(world: World, pair: tuple[Assignment, Assignment]) -> None:
    first, second = pair
    # Somebody else's work: the annotator may not see that scan.
    Assignment.objects.filter(pk=second.pk).update(person=world["annotator2"])
    assert seen(world, first, "annotator") is None
    assert seen(world, first, "reviewer") is not None
    assert seen(world, first, "outsider") is None
    set_site_membership(user=world["reviewer"], site=world.sites["a"], is_member=False, actor=world["admin"])
    assert seen(world, first, "reviewer") is None


@pytest.mark.parametrize("change", [{"state": "withdrawn"}, {"modality": "DX"}, {"subject": None}])
def test_only_a_ready_scan_of_the_same_kind_and_subject(
    world: World, pair: tuple[Assignment, Assignment], change: dict[str, object]
) -> None:
    first, second = pair
    Scan.objects.filter(pk=second.scan_id).update(**change)
    assert seen(world, first, "annotator") is None


def test_not_of_another_campaign(world: World, pair: tuple[Assignment, Assignment]) -> None:
    first, second = pair
    second.scan.campaign_scans.all().delete()
    assert seen(world, first, "annotator") is None
