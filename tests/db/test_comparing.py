"""What changed between two releases: in, out, changed; mL and Dice of the whole masks; page, JSON and CSV agree."""

import copy
import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client

from annotation.datasets import services
from annotation.datasets.comparing import ScanChange, compare_releases, find_earlier
from annotation.datasets.exporters.manifest import manifest_hash
from annotation.datasets.models import Release
from annotation.masks.models import MaskRevision
from annotation.masks.store import hash_of, load_labels, put_chunks, shown_counts
from annotation.scans.services import withdraw_scan
from annotation.work.campaigns import create_campaign, set_member
from annotation.work.models import Assignment, Campaign
from tests.factories.world import SHAPE, World, approve, label, publish
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Damaged, Invalid, NotFound
from voxloop.volume.labelmap import ERASED, split_labelmap, strip_erased

pytestmark = pytest.mark.django_db
VOXEL_ML = 2.5 / 1000


def read(world: World, assignments: list[Assignment]) -> None:
    for assignment in assignments:
        label(world, assignment)
        approve(world, assignment)


def frozen(world: World, name: str) -> Release:
    release = services.create_release(campaign=world.campaign, name=name, actor=world["datamanager"])
    return services.freeze_release(release_id=release.pk, actor=world["datamanager"])


def frozen_with(
    release: Release, name: str, change: Callable[[list[dict[str, Any]]], None], campaign: Campaign | None = None
) -> Release:
    """A later release whose list is this one's but for a change of its scans."""
    manifest = copy.deepcopy(release.manifest)
    change(manifest["scans"])
    return Release.objects.create(
        campaign=campaign or release.campaign,
        name=name,
        state="frozen",
        manifest=manifest,
        manifest_hash=manifest_hash(manifest),
        created_by=release.created_by,
        frozen_at=now(),
    )


def new_mask(scan: dict[str, Any], labels_zyx: np.ndarray, author: Any) -> None:
    """Another approved mask of a scan in a list."""
    names, counts = put_chunks(split_labelmap(labels_zyx))
    chunks = {key: name for key, name in names.items() if name}
    revision = MaskRevision.objects.create(
        scan_id=scan["id"],
        layer="findings",
        kind="correction",
        author=author,
        chunks=chunks,
        content_hash=hash_of(chunks, SHAPE),
        voxel_counts=shown_counts(counts),
    )
    claim = scan["layers"]["findings"]
    claim.update(revision=str(revision.pk), content_hash=revision.content_hash, voxel_counts=revision.voxel_counts)
    scan.update(verdict="corrected", reviewer="reviewer2", round=2)


def changed(world: World, before: Release, after: Release) -> list[ScanChange]:
    found = compare_releases(release_id=after.pk, since_id=before.pk, actor=world["datamanager"])
    return list(found.scans)


def test_scans_come_and_go(world: World) -> None:
    rows = list(publish(world, size=4).assignments.order_by("position"))
    read(world, rows[:3])
    before = frozen(world, "r1")
    withdraw_scan(scan_id=rows[0].scan_id, actor=world["datamanager"], why="consent withdrawn")
    read(world, rows[3:])
    after = frozen(world, "r2")
    found = compare_releases(release_id=after.pk, since_id=before.pk, actor=world["datamanager"])
    assert {one.scan: one.change for one in found.scans} == {rows[0].scan.code: "out", rows[3].scan.code: "in"}
    assert (found.unchanged, found.count("in"), found.count("out"), found.count("changed")) == (2, 1, 1, 0)
    gone, come = (next(one for one in found.scans if one.change == change) for change in ("out", "in"))
    assert gone.why == "The scan was withdrawn."
    assert (come.author, come.reviewer, come.round) == ("annotator", "reviewer", 1)
    [part] = come.segments
    voxels = np.count_nonzero(load_labels(MaskRevision.objects.filter(scan=rows[3].scan).latest("created_at"), SHAPE))
    assert (part.before, part.dice) == (0.0, None)
    assert part.after == pytest.approx(voxels * VOXEL_ML)
    # The other way round it is the opposite.
    assert {one.change for one in changed(world, after, before) if one.scan == come.scan} == {"out"}
    assert find_earlier(after, world["datamanager"]) == [before]


def shifted(labels_zyx: np.ndarray) -> np.ndarray:
    moved = np.roll(labels_zyx, 3, axis=2)
    moved[:10] = labels_zyx[:10]
    moved[20, 20:24, 20:24] = ERASED
    moved[36:, 40:, 50:] = 4
    return moved


def cleared(labels_zyx: np.ndarray) -> np.ndarray:
    return np.zeros_like(labels_zyx)


def renamed(labels_zyx: np.ndarray) -> np.ndarray:
    return np.where(labels_zyx > 0, 2, 0).astype(np.uint8)


def far_away(labels_zyx: np.ndarray) -> np.ndarray:
    """The same mask, and one voxel in a chunk of its own."""
    labels = labels_zyx.copy()
    labels[-1, -1, -1] = 1
    return labels


@pytest.mark.parametrize("make", [shifted, cleared, renamed, far_away])
def test_volumes_and_dice_are_those_of_the_whole_masks(world: World, make: Callable[..., np.ndarray]) -> None:
    read(world, list(publish(world, size=2).assignments.all()))
    before = frozen(world, "r1")
    entry = before.manifest["scans"][0]
    old = load_labels(MaskRevision.objects.get(pk=entry["layers"]["findings"]["revision"]), SHAPE)
    new = make(old)
    after = frozen_with(before, "r2", lambda scans: new_mask(scans[0], new, world["reviewer2"]))
    [one] = changed(world, before, after)
    assert (one.scan, one.change, one.reviewer, one.round) == (entry["code"], "changed", "reviewer2", 2)
    assert one.why.startswith("Corrected by the reviewer, round 2")
    old, new = strip_erased(old), strip_erased(new)
    segments = world.campaign.schema.definition["layers"][0]["segments"]
    values = {segment["key"]: segment["id"] for segment in segments}
    assert {values[part.segment] for part in one.segments} == (set(np.unique(old)) | set(np.unique(new))) - {0}
    for part in one.segments:
        was, now_ = old == values[part.segment], new == values[part.segment]
        assert part.before == pytest.approx(was.sum() * VOXEL_ML)
        assert part.after == pytest.approx(now_.sum() * VOXEL_ML)
        assert part.delta == pytest.approx((int(now_.sum()) - int(was.sum())) * VOXEL_ML)
        assert part.dice == pytest.approx(2 * (was & now_).sum() / (was.sum() + now_.sum()))


def test_other_answers_and_another_side_are_changes(world: World) -> None:
    read(world, list(publish(world, size=2).assignments.all()))
    before = frozen(world, "r1")

    def change(scans: list[dict[str, Any]]) -> None:
        scans[0]["answers"] = {**scans[0]["answers"], "quality": "poor"}
        scans[1]["split"] = "test"

    answered, moved = changed(world, before, frozen_with(before, "r2", change))
    assert (answered.answers, answered.segments) == (["quality"], [])
    assert (moved.split_before, moved.split_after) == ("train", "test")


def test_a_damaged_list_or_mask_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read(world, list(publish(world, size=1).assignments.all()))
    before = frozen(world, "r1")

    def forge(scans: list[dict[str, Any]]) -> None:
        new_mask(scans[0], np.ones(SHAPE, np.uint8), world["reviewer2"])

    after = frozen_with(before, "r2", forge)
    monkeypatch.setattr("annotation.masks.store.open_chunk", lambda name, data: None)
    with pytest.raises(Damaged) as damaged:
        changed(world, before, after)
    assert damaged.value.code == "mask_damaged"


def test_a_draft_is_not_compared_and_strangers_find_nothing(world: World) -> None:
    read(world, list(publish(world, size=1).assignments.all()))
    before = frozen(world, "r1")
    draft = services.create_release(campaign=world.campaign, name="r2", actor=world["datamanager"])
    with pytest.raises(Conflict) as refusal:
        compare_releases(release_id=draft.pk, since_id=before.pk, actor=world["datamanager"])
    assert refusal.value.code == "not_frozen"
    with pytest.raises(NotFound):
        compare_releases(release_id=before.pk, since_id=before.pk, actor=world["annotator"])


def test_only_releases_of_one_campaign_are_compared(world: World) -> None:
    read(world, list(publish(world, size=1).assignments.all()))
    before = frozen(world, "r1")
    definition = world.campaign.schema.definition
    other = create_campaign(name="Other", slug="other", definition=definition, actor=world["admin"])
    set_member(campaign=other, user=world["datamanager"], role="data_manager", actor=world["admin"])
    theirs = frozen_with(before, "r1", lambda scans: None, other)
    with pytest.raises(Invalid) as refusal:
        compare_releases(release_id=theirs.pk, since_id=before.pk, actor=world["datamanager"])
    assert refusal.value.code == "other_campaign"


def test_page_json_and_csv_tell_the_same(world: World, client: Client) -> None:
    rows = list(publish(world, size=3).assignments.order_by("position"))
    read(world, rows[:2])
    before = frozen(world, "r1")
    read(world, rows[2:])
    whole = frozen(world, "r2")
    after = frozen_with(whole, "r3", lambda scans: new_mask(scans[0], np.zeros(SHAPE, np.uint8), world["reviewer2"]))
    client.force_login(world["datamanager"], backend="django.contrib.auth.backends.ModelBackend")
    address = f"/releases/{after.pk}/changes"
    told = client.get(f"/api/v1{address}?since={before.pk}").json()
    assert {one["change"] for one in told["scans"]} == {"in", "changed"}
    listed = list(csv.DictReader(io.StringIO(client.get(f"{address}.csv?since={before.pk}").content.decode())))
    expected = [(one["scan"], part["segment"], part["delta"]) for one in told["scans"] for part in one["segments"]]
    assert [(row["scan"], row["segment"], float(row["delta"])) for row in listed] == expected
    page = client.get(f"{address}/?since={before.pk}").content.decode()
    for one in told["scans"]:
        assert one["scan"] in page
        assert one["why"] in page
    assert "since r1" in page
    only_new = client.get(f"{address}/?since={before.pk}&change=in").content.decode()
    assert rows[2].scan.code in only_new
    assert told["scans"][0]["scan"] in page
    assert "What changed since r2" in client.get(f"{address}/").content.decode()  # the one before, when none is named
    assert "Nothing changed" in client.get(f"{address}/?since={after.pk}").content.decode()
    assert "VX-" in client.get(f"{address}.csv").content.decode()
    assert client.get(f"/api/v1{address}").status_code == 422
    assert json.dumps(told).count('"unchanged": 1') == 1


def test_an_only_release_has_nothing_to_compare_with(world: World, client: Client) -> None:
    read(world, list(publish(world, size=1).assignments.all()))
    only = frozen(world, "r1")
    client.force_login(world["datamanager"], backend="django.contrib.auth.backends.ModelBackend")
    assert "Nothing to compare with" in client.get(f"/releases/{only.pk}/changes/").content.decode()
    refused = client.get(f"/releases/{only.pk}/changes.csv")
    assert (refused.status_code, "no other frozen release" in refused.content.decode()) == (409, True)
    assert "nothing_to_compare" in refused.content.decode()
