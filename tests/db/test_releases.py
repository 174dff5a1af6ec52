"""Releases: their content, freezing, and immutability."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from annotation.datasets import services
from annotation.datasets.models import Export, Release, ReleaseItem
from annotation.datasets.selectors import count_scans, list_candidates, visible_releases
from annotation.datasets.verify import canonical, content_hash
from annotation.masks.models import MaskRevision
from annotation.masks.services import save_message
from annotation.masks.store import hash_of, load_labels
from annotation.reviews.claims import claim_round
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import correct_round, submit_assignment
from annotation.scans.models import Site, SiteMembership
from annotation.scans.services import withdraw_scan
from tests.factories.world import World, approve, label, mask_message, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(world: World) -> World:
    """Five scans approved (two of site a, two of b, one of c), one of them confirmed empty, one more only handed in."""
    batch = publish(world, size=6)
    for position, assignment in enumerate(batch.assignments.order_by("position"), start=1):
        label(world, assignment, is_empty=position == 2)
        if position < 6:
            approve(world, assignment)
        else:
            submit_assignment(assignment_id=assignment.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    return world


def draft(world: World, name: str = "r1", **choice: Any) -> Release:
    return services.create_release(campaign=world.campaign, name=name, actor=world["datamanager"], **choice)


def frozen(world: World, name: str = "r1", **choice: Any) -> Release:
    return services.freeze_release(release_id=draft(world, name, **choice).pk, actor=world["datamanager"])


def test_a_release_takes_what_is_approved_with_the_split_of_the_site(approved: World) -> None:
    release = frozen(approved)
    items = release.items.select_related("scan__site")
    sides = {item.scan.site.code: item.split for item in items}
    assert sides == {"a": "train", "b": "train", "c": "validation"}
    assert (release.state, items.count()) == ("frozen", 5)
    assert count_scans(release) == {"train": {"a": 2, "b": 2}, "validation": {"c": 1}}


def test_the_manifest_says_who_what_and_from_where(approved: World) -> None:
    release = frozen(approved, licence="CC BY 4.0")
    manifest = release.manifest
    assert release.manifest_hash == hashlib.sha256(canonical(manifest)).hexdigest()
    assert manifest["release"]["licence"] == "CC BY 4.0"
    assert manifest["schema"]["definition"] == approved.campaign.schema.definition
    assert manifest["layers"] == ["findings"]
    scan = next(scan for scan in manifest["scans"] if not scan["layers"]["findings"]["is_empty"])
    found = ReviewRound.objects.get(pk=scan["round_id"])
    assert (scan["author"], scan["reviewer"], scan["verdict"]) == ("annotator", "reviewer", "approved")
    assert scan["answers"] == {"diagnosis": "covid19", "quality": "good"}
    claim = scan["layers"]["findings"]
    revision = MaskRevision.objects.get(pk=claim["revision"])
    assert claim["content_hash"] == revision.content_hash == found.signature["hashes"]["findings"]
    assert claim["content_hash"] == content_hash(load_labels(revision, scan["shape_zyx"]))
    assert claim["start"] == {"kind": "blank", "model": "", "revision": None}
    assert scan["volume_sha256"] == found.annotation.scan.pack_key.rpartition("/")[2]
    assert scan["uids"]["series"] == found.annotation.scan.series.uid


def test_a_confirmed_empty_mask_is_part_of_it(approved: World) -> None:
    release = frozen(approved)
    empty = [scan for scan in release.manifest["scans"] if scan["layers"]["findings"]["is_empty"]]
    assert len(empty) == 1
    assert empty[0]["answers"]["confirmed_empty"] is True
    assert empty[0]["layers"]["findings"]["content_hash"] == hash_of({}, empty[0]["shape_zyx"])
    assert release.items.filter(revision=None).count() == 1


def test_a_correction_counts_as_the_reviewer_left_it(world: World) -> None:
    assignment = publish(world, size=1).assignments.get()
    label(world, assignment)
    found = submit_assignment(assignment_id=assignment.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
    claim_round(round_id=found.pk, actor=world["reviewer"])
    found.refresh_from_db()
    head = found.review.heads.get(layer="findings")
    revision, _ = save_message(
        assignment_id=found.review_id,
        layer="findings",
        message=mask_message(segment=4),
        actor=world["reviewer"],
        if_match=str(head.revision_id),
        key=uuid4(),
    )
    correct_round(round_id=found.pk, actor=world["reviewer"], signed_at=now())
    scan = frozen(world).manifest["scans"][0]
    assert (scan["verdict"], scan["layers"]["findings"]["revision"]) == ("corrected", str(revision.pk))
    assert set(scan["layers"]["findings"]["voxel_counts"]) == {"4"}


def test_it_can_be_limited_to_sites_and_days(approved: World) -> None:
    assert count_scans(draft(approved, "sites", sites=["a"])) == {"train": {"a": 2}}
    today, yesterday = now().date(), now().date() - timedelta(days=1)
    assert list_candidates(draft(approved, "today", approved_from=today, approved_until=today)).count() == 5
    assert list_candidates(draft(approved, "old", approved_until=yesterday)).count() == 0
    with pytest.raises(Conflict) as refusal:
        services.freeze_release(release_id=Release.objects.get(name="old").pk, actor=approved["datamanager"])
    assert refusal.value.code == "release_empty"


def test_a_withdrawn_scan_is_left_out(approved: World) -> None:
    release = draft(approved)
    gone = list_candidates(release)[0].annotation.scan
    withdraw_scan(scan_id=gone.pk, actor=approved["datamanager"], why="consent withdrawn")
    frozen_release = services.freeze_release(release_id=release.pk, actor=approved["datamanager"])
    assert gone.code not in {scan["code"] for scan in frozen_release.manifest["scans"]}


def test_equal_lists_have_equal_hashes_and_no_time_in_them_but_the_freezing(approved: World) -> None:
    one, two = frozen(approved, "r1").manifest, frozen(approved, "r2").manifest
    assert one["scans"] == two["scans"]


CHANGES: list[Callable[[Release], Any]] = [
    lambda release: release.items.update(split="test"),
    lambda release: release.items.all().delete(),
    lambda release: release.items.first().delete(),
    lambda release: Release.objects.filter(pk=release.pk).update(manifest={}),
    lambda release: Release.objects.filter(pk=release.pk).update(manifest_hash="0" * 64),
    lambda release: Release.objects.filter(pk=release.pk).update(name="other"),
    lambda release: Release.objects.filter(pk=release.pk).update(licence="other"),
    lambda release: Release.objects.filter(pk=release.pk).update(state="draft"),
    lambda release: Release.objects.filter(pk=release.pk).update(frozen_at=None),
    lambda release: Release.objects.filter(pk=release.pk)._raw_delete("default"),
]


def test_the_database_refuses_every_change_of_a_frozen_release(approved: World) -> None:
    release = frozen(approved)
    before = (release.manifest, list(release.items.values()))
    for change in CHANGES:
        with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
            change(release)
    release.refresh_from_db()
    assert (release.manifest, list(release.items.values())) == before


def test_the_database_refuses_a_new_item_and_emptying_the_tables(approved: World) -> None:
    release = frozen(approved)
    item = release.items.first()
    item.pk, item.layer = None, "anatomy"
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        item.save()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in ("datasets_releaseitem", "datasets_release CASCADE"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table}")


def test_a_draft_can_still_be_thrown_away(approved: World) -> None:
    release = draft(approved)
    item = ReleaseItem(release=release, layer="findings", split="train")
    found = list_candidates(release)[0]
    item.scan, item.round = found.annotation.scan, found
    item.save()
    item.delete()
    release.delete()
    assert not Release.objects.exists()


def test_only_the_standing_of_a_frozen_release_changes(approved: World) -> None:
    release = frozen(approved)
    manager = approved["datamanager"]
    services.publish_release(release_id=release.pk, actor=manager)
    with pytest.raises(Conflict) as refusal:
        services.yank_release(release_id=release.pk, actor=manager, why=" ")
    assert refusal.value.code == "reason_required"
    services.yank_release(release_id=release.pk, actor=manager, why="a scan was withdrawn")
    actions = list(AuditEntry.objects.filter(object_id=str(release.pk)).values_list("action", flat=True))
    assert actions == ["release.created", "release.frozen", "release.published", "release.yanked"]


def test_a_release_is_frozen_once(approved: World) -> None:
    release = frozen(approved)
    with pytest.raises(Conflict) as refusal:
        services.freeze_release(release_id=release.pk, actor=approved["datamanager"])
    assert refusal.value.code == "state_conflict"


def test_a_site_never_changes_sides(approved: World) -> None:
    frozen(approved)
    Site.objects.filter(code="b").update(split="test")
    with pytest.raises(Conflict) as refusal:
        frozen(approved, "r2")
    assert (refusal.value.code, "Site b" in refusal.value.detail) == ("split_moved", True)


def test_an_approval_that_does_not_cover_its_mask_is_refused(approved: World) -> None:
    found = ReviewRound.objects.filter(state="approved", masks__approved__isnull=False).first()
    assert found is not None
    ReviewRound.objects.filter(pk=found.pk).update(signature={**found.signature, "hashes": {"findings": "0" * 64}})
    with pytest.raises(Conflict) as refusal:
        frozen(approved)
    assert refusal.value.code == "signature_broken"
    assert Release.objects.get().state == "draft"


def test_only_a_data_manager_makes_and_freezes(approved: World) -> None:
    release = draft(approved)
    for name in ("annotator", "reviewer", "coordinator", "admin"):
        with pytest.raises(Forbidden):
            services.create_release(campaign=approved.campaign, name="x", actor=approved[name])
        with pytest.raises((Forbidden, NotFound)):
            services.freeze_release(release_id=release.pk, actor=approved[name])


def test_sites_that_are_not_ones_own_are_neither_frozen_nor_seen(approved: World) -> None:
    whole = frozen(approved)
    SiteMembership.objects.filter(user=approved["datamanager"], site__code="c").delete()
    with pytest.raises(Forbidden) as refusal:
        frozen(approved, "r2")
    assert refusal.value.code == "site_not_yours"
    with pytest.raises(Invalid) as unknown:
        draft(approved, "r3", sites=["c"])
    assert unknown.value.code == "unknown_site"
    own = frozen(approved, "r4", sites=["a", "b"])
    assert own in visible_releases(approved["datamanager"])
    assert whole not in visible_releases(approved["datamanager"])
    assert whole in visible_releases(approved["coordinator"])
    assert not visible_releases(approved["annotator"]).exists()


def test_names_that_would_share_a_folder_are_refused(approved: World) -> None:
    draft(approved, "r-1")
    for name in ("r-1", "R-1", "r 1"):
        with pytest.raises(Conflict) as refusal:
            draft(approved, name)
        assert refusal.value.code == "release_taken"


def test_a_draft_and_a_yanked_release_are_not_exported(approved: World) -> None:
    manager = approved["datamanager"]
    yanked = frozen(approved, "yanked")
    services.yank_release(release_id=yanked.pk, actor=manager, why="wrong")
    for release in (draft(approved), yanked):
        with pytest.raises(Conflict) as refusal:
            services.request_export(release_id=release.pk, actor=manager)
        assert refusal.value.code == "not_frozen"


def test_a_person_names_no_address_of_their_own(approved: World, settings: Any) -> None:
    release, manager = frozen(approved), approved["datamanager"]
    for address in ("s3://theirs/x?endpoint=http://169.254.169.254", "file:///etc", "/tmp", "http://host/"):
        with pytest.raises(Forbidden):
            services.request_export(release_id=release.pk, actor=manager, destination=address)
    settings.EXPORT_BUCKETS = ["s3://ours/releases"]
    export = services.request_export(release_id=release.pk, actor=manager, destination="s3://ours/releases")
    assert export.destination == "s3://ours/releases"


def test_an_export_under_way_is_not_asked_for_twice(approved: World) -> None:
    release, manager = frozen(approved), approved["datamanager"]
    one, two = (services.request_export(release_id=release.pk, actor=manager) for _ in range(2))
    assert one == two
    assert Export.objects.count() == 1
