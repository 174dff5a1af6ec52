"""A label schema gets versions: what work holds in place is refused by name, and what is stored reads as before."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from annotation.datasets.services import create_release, freeze_release
from annotation.learning.models import TrainingRun
from annotation.masks.answers import save_answers
from annotation.masks.models import AnswerSet, MaskRevision
from annotation.masks.selectors import newest_answers, schema_of
from annotation.masks.services import begin
from annotation.masks.store import load_labels
from annotation.work.campaigns import change_campaign, create_campaign
from annotation.work.models import Assignment, LabelSchema
from annotation.work.schema_changing import change_schema, versions_of
from annotation.work.schema_uses import find_uses
from annotation.work.standard import CHEST_CT
from tests.factories.schemas import LIVER
from tests.factories.world import SHAPE, World, approve, first_of, label, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Conflict, Invalid

pytestmark = pytest.mark.django_db
Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> dict[str, Any]:
    definition = deepcopy(CHEST_CT)
    change(definition)
    return definition


def save(world: World, change: Change, *, seen: int = 1) -> list[str]:
    return change_schema(
        campaign=world.campaign, definition=changed(change), seen_version=seen, actor=world["coordinator"]
    )


def rename_and_add(definition: dict[str, Any]) -> None:
    segments = definition["layers"][0]["segments"]
    segments[0] |= {"name": "Consolidation", "colour": "#3074ff"}
    segments.append({"id": 7, "key": "ground_glass", "name": "Ground glass", "colour": "#ff78da"})
    segments.insert(0, segments.pop(1))
    definition["questions"][0]["options"].insert(0, {"value": "fungal", "label": "Fungal"})
    definition["questions"][0]["options"][1]["label"] = "SARS-CoV-2"
    definition["questions"].insert(0, {"key": "sure", "text": "Sure?", "kind": "boolean", "required": True})


def remove_segment(definition: dict[str, Any]) -> None:
    del definition["layers"][0]["segments"][0]


def test_what_was_stored_reads_as_before_and_a_frozen_release_stays(world: World) -> None:
    assignment = first_of(publish(world, size=2))
    label(world, assignment)
    approve(world, assignment)
    release = create_release(campaign=world.campaign, name="r1", actor=world["datamanager"])
    frozen = freeze_release(release_id=release.pk, actor=world["datamanager"])
    manifest, revision = deepcopy(frozen.manifest), MaskRevision.objects.get(kind="draft")
    voxels, answers = load_labels(revision, SHAPE).copy(), newest_answers(assignment)

    told = save(world, rename_and_add)

    assert "New segment Ground glass." in told
    assert "Segment Infectious opacity: called Consolidation, another colour." in told
    assert "Another order of the segments of Findings." in told
    assert "“Diagnosis class” has the new choices Fungal." in told
    world.campaign.refresh_from_db()
    assert world.campaign.schema.version == 2
    assert [one.version for one in versions_of(world.campaign)] == [2, 1]
    assert LabelSchema.objects.get(version=1).definition == CHEST_CT
    assert (load_labels(MaskRevision.objects.get(pk=revision.pk), SHAPE) == voxels).all()
    fresh = Assignment.objects.select_related("campaign__schema").get(pk=assignment.pk)
    assert newest_answers(fresh) == answers == schema_of(fresh).check_answers(answers)
    release.refresh_from_db()
    assert release.manifest == manifest
    assert release.manifest["schema"] == {"name": "Chest CT", "version": 1, "definition": CHEST_CT}
    entry = AuditEntry.objects.get(action="campaign.schema_changed")
    assert (entry.old, entry.new["version"], entry.actor_name) == ({"version": 1}, 2, "coordinator")
    # The next release is of the new version.
    later = create_release(campaign=world.campaign, name="r2", actor=world["datamanager"])
    assert freeze_release(release_id=later.pk, actor=world["datamanager"]).manifest["schema"]["version"] == 2


REFUSED: dict[str, tuple[Change, str]] = {
    "a segment goes": (remove_segment, "Infectious opacity (value 1) cannot be removed, nor get another value"),
    "another value": (lambda d: d["layers"][0]["segments"][0].update(id=9), "masks of 1 scan"),
    "another term": (
        lambda d: d["layers"][0]["segments"][0].update(code={"scheme": "SCT", "value": "1", "meaning": "Other"}),
        "The coded term of Infectious opacity (value 1) cannot change: masks of 1 scan",
    ),
    "no infection": (lambda d: d["layers"][0]["segments"][0].pop("infectious"), "sign of infection"),
    "the layer goes": (
        lambda d: d["layers"].__setitem__(0, {**d["layers"][0], "name": "other"}),
        "Layer Findings has to stay",
    ),
    "another limit": (lambda d: d["layers"][0].pop("limit"), "and its limit, have to stay"),
    "another kind": (
        lambda d: d["questions"][0].update(kind="choices"),
        "The kind of “Diagnosis class” cannot change: there are answers of 1 scan.",
    ),
    "a question goes": (lambda d: d["questions"].__delitem__(slice(0, 2)), "“Diagnosis class” cannot be removed"),
    "a choice goes": (
        lambda d: d["questions"][2]["options"].pop(0),
        "The choice “Good” of “Image quality” cannot be removed: it is in the answers of 1 scan.",
    ),
    "a choice means another": (
        lambda d: d["questions"][0]["options"][0].update(means="no_infection"),
        "What “COVID-19” of “Diagnosis class” says about infection cannot change",
    ),
    "a question hides": (
        lambda d: d["questions"][2].update(shown_when={"question": "diagnosis", "in": ["no_signs"]}),
        "The condition of “Image quality” cannot change like this",
    ),
    "the number has other bounds": (lambda d: d["questions"][6].update(max=10), "The range of “Largest nodule"),
    "and another unit": (lambda d: d["questions"][6].update(unit="cm"), "The unit of “Largest nodule"),
    "and fewer decimals": (lambda d: d["questions"][6].update(decimals=0), "The number of decimals of “Largest"),
    "the text is shorter": (lambda d: d["questions"][7].update(max_length=3), "The length of “Which other finding”"),
}


def test_what_work_holds_is_refused_with_who_holds_it(world: World) -> None:
    assignment = first_of(publish(world, size=1))
    label(world, assignment)
    values: dict[str, Any] = {"diagnosis": "covid19", "quality": "good", "other_findings": ["nodule", "other"]}
    values |= {"nodule_mm": 12.5, "other_finding": "calcified"}
    save_answers(assignment_id=assignment.pk, values=values, actor=world["annotator"])
    approve(world, assignment)
    missed = []
    for name, (change, says) in REFUSED.items():
        with pytest.raises(Conflict) as refused:
            save(world, change)
        if refused.value.code != "schema_in_use" or says not in refused.value.detail:
            missed.append(f"{name}: {refused.value.detail}")
    assert not missed, "\n".join(missed)
    assert not LabelSchema.objects.filter(version=2).exists()
    assert not AuditEntry.objects.filter(action="campaign.schema_changed").exists()
    # What nothing uses may go, and a condition may be met by more answers.
    save(world, lambda d: (d["layers"][0]["segments"].pop(), d["questions"][1]["options"].pop()))


def test_nothing_is_removed_while_a_scan_is_open(world: World) -> None:
    assignment = first_of(publish(world, size=1))
    begin(assignment_id=assignment.pk, actor=world["annotator"])
    with pytest.raises(Conflict) as refused:
        save(world, remove_segment)
    assert "1 scan that is open just now" in refused.value.detail
    save(world, rename_and_add)


def test_a_model_holds_the_segments_it_learned(world: World) -> None:
    manifest = {"layer": "findings", "segments": [{"id": 2, "key": "infectious_tree_in_bud"}]}
    TrainingRun.objects.create(
        campaign=world.campaign, number=1, profile="demo", seed=1, manifest=manifest, manifest_hash="0"
    )
    assert find_uses(world.campaign).segments == {("findings", 2): ["1 training"]}
    with pytest.raises(Conflict) as refused:
        save(world, lambda d: d["layers"][0]["segments"].pop(1))
    assert "1 training" in refused.value.detail
    save(world, remove_segment)


def test_before_any_work_everything_may_change(world: World) -> None:
    told = change_schema(campaign=world.campaign, definition=LIVER, seen_version=1, actor=world["admin"])
    assert "New layer Lesions." in told
    assert "Layer Findings removed." in told
    again = change_schema(campaign=world.campaign, definition=LIVER, seen_version=2, actor=world["admin"])
    assert again == []
    assert LabelSchema.objects.count() == 2


def test_two_people_at_once_and_what_is_no_schema_are_refused(world: World) -> None:
    save(world, rename_and_add)
    with pytest.raises(Conflict) as moved:
        save(world, remove_segment, seen=1)
    assert moved.value.code == "schema_moved"
    with pytest.raises(Invalid) as bad:
        change_schema(campaign=world.campaign, definition={"layers": []}, seen_version=2, actor=world["admin"])
    assert bad.value.code == "bad_schema"
    assert AnswerSet.objects.count() == 0


def test_a_name_that_a_renamed_campaign_left_can_be_taken(world: World) -> None:
    change_campaign(campaign=world.campaign, actor=world["admin"], name="Renamed")
    second = create_campaign(name="Chest CT", slug="second", definition=LIVER, actor=world["admin"])
    assert (second.schema.name, second.schema.version) == ("Chest CT (2)", 1)
