"""Eligibility: judged by the criteria, overruled by a person, kept out of batches, counted in the flow chart."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotation.datasets.flow import flow_of
from annotation.datasets.models import Release
from annotation.datasets.paper.facts import list_steps
from annotation.datasets.selectors import list_candidates
from annotation.intake.clinical.mapping import SheetMapping
from annotation.intake.clinical.sheet import Row, Sheet
from annotation.intake.records import store_records
from annotation.intake.services import import_now
from annotation.learning.manifest import approved_rounds
from annotation.scans.models import PathogenTest, Scan, Series, Study
from annotation.work.batches import create_batch
from annotation.work.eligibility.deciding import overrule, pick_series, set_criteria, undo_overrule
from annotation.work.eligibility.judging import judge_campaign
from annotation.work.eligibility.rules import CHEST_CT_RULES, CODES, Facts, Rules, advise, in_words, judge
from annotation.work.erasing import erase
from annotation.work.models import Eligibility
from annotation.work.selectors import excluded, unassigned_scans
from annotation.work.tasks import judge_scans
from annotation.work.withdrawing import withdraw
from tests.factories.world import World, approve, first_of, label, make_scan, publish
from tests.unit.intake.series import make_series
from voxloop.audit.models import AuditEntry
from voxloop.jobs.models import Job
from voxloop.kernel.errors import Conflict, Forbidden, Invalid

GOOD = Facts(
    modality="CT",
    body_part="CHEST",
    has_lungs=True,
    kernel="B70f",
    thickness_mm=1.5,
    step_mm=1.5,
    slices=200,
    has_record=True,
    age_years=44,
    has_test=True,
    has_day=True,
    days_to_test=7,
)
LEAST = Rules(least_slices=10)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"modality": "DX", "body_part": "CHEST"}, "other_modality"),
        ({"body_part": "BRAIN"}, "other_body_part"),
        ({"body_part": "", "has_lungs": False}, "no_lungs"),
        ({"slices": 1}, "not_volumetric"),
        ({"step_mm": 10.0}, "not_volumetric"),
        ({"thickness_mm": 3.1, "step_mm": 3.0}, "too_thick"),
        ({"thickness_mm": None}, "thickness_unknown"),
        ({"has_record": False}, "no_record"),
        ({"age_years": 17}, "too_young"),
        ({"age_years": None}, "age_unknown"),
        ({"has_test": False, "days_to_test": None}, "test_unknown"),
        ({"has_day": False, "days_to_test": None}, "day_unknown"),
        ({"days_to_test": 8}, "test_too_far"),
        ({"kernel": "B30f"}, "other_kernel"),
        ({"slices": 49}, "too_few_slices"),
    ],
)
def test_each_criterion_excludes_what_it_says(changes: dict[str, Any], code: str) -> None:
    rules = replace(CHEST_CT_RULES, kernels=("b70F",), least_slices=50)
    assert judge(rules, GOOD) == []
    reasons = judge(rules, replace(GOOD, **changes))
    assert code in [reason.code for reason in reasons]
    assert all(reason.sentence.endswith(".") and reason.code in CODES for reason in reasons)
    assert judge(Rules(), replace(GOOD, **changes)) == []  # each is optional


def test_what_is_less_than_recommended_is_said_and_no_reason() -> None:
    assert advise(CHEST_CT_RULES, GOOD) == ""
    thicker = replace(GOOD, thickness_mm=2.0, step_mm=2.0)
    assert judge(CHEST_CT_RULES, thicker) == []
    assert advise(CHEST_CT_RULES, thicker) == "Slices of 2 mm; up to 1.5 mm are recommended."
    assert "within 7 days of a test" in in_words(CHEST_CT_RULES)


def test_a_chest_film_is_not_asked_for_slices() -> None:
    film = replace(GOOD, modality="CR", thickness_mm=None, slices=1, has_lungs=False)
    assert judge(replace(CHEST_CT_RULES, modalities=("CR", "DX")), film) == []


@pytest.mark.parametrize("rules", [Rules(least_age=-1), Rules(body_part="foot"), Rules(modalities=("MR",))])
def test_criteria_that_nothing_could_meet_are_refused(rules: Rules) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check()
    assert refused.value.code == "bad_criteria"
    with pytest.raises(Invalid):
        Rules(most_thickness_mm=1.0, recommended_thickness_mm=2.0).check()


def put(world: World, rules: Rules | None, who: str = "datamanager") -> bool:
    return set_criteria(campaign=world.campaign, rules=rules, actor=world[who])[0]


def codes(world: World) -> dict[str, str]:
    return dict(Eligibility.objects.filter(campaign=world.campaign).values_list("scan__code", "exclusion"))


def store_ages(world: World, *lines: tuple[str, str]) -> None:
    rows = [Row(n, {"pseudonym": who, "age": age}) for n, (who, age) in enumerate(lines, start=2)]
    store_records(
        site=world.sites["a"],
        campaign=world.campaign,
        sheet=Sheet(["pseudonym", "age"], rows),
        mapping=SheetMapping({"pseudonym": "pseudonym", "age": "age"}),
        actor=world["datamanager"],
    )


def same_study(world: World, *numbers: int) -> list[Scan]:
    """Scans of the world as series of one study."""
    scans = [world.scans[number] for number in numbers]
    study = Study.objects.get(series__scans=scans[0])
    Series.objects.filter(scans__in=scans).update(study=study)
    return scans


@pytest.mark.django_db
def test_without_criteria_every_scan_is_offered(world: World) -> None:
    assert unassigned_scans(world.campaign).count() == 6
    assert put(world, LEAST)
    assert not put(world, LEAST)
    assert set(codes(world).values()) == {""}
    assert put(world, Rules(least_slices=41))
    assert set(codes(world).values()) == {"too_few_slices"}
    assert unassigned_scans(world.campaign).count() == 0
    with pytest.raises(Conflict):
        create_batch(campaign=world.campaign, actor=world["coordinator"], size=2)
    assert put(world, None)
    assert not Eligibility.objects.exists()
    assert unassigned_scans(world.campaign).count() == 6
    assert AuditEntry.objects.filter(action="criteria.changed").count() == 3
    with pytest.raises(Forbidden):
        put(world, LEAST, "annotator")


@pytest.mark.django_db
def test_records_and_new_scans_are_judged_at_once(world: World) -> None:
    put(world, Rules(least_age=18))
    assert set(codes(world).values()) == {"no_record"}
    store_ages(world, ("S0", "44"), ("S3", "17"))
    assert (codes(world)["VX-A-0001"], codes(world)["VX-A-0002"]) == ("", "too_young")
    store_ages(world, ("S0", "44"), ("S3", "18"))
    assert codes(world)["VX-A-0002"] == ""
    fresh = make_scan(world, "b", seed=50)
    assert codes(world)[fresh.code] == "no_record"


@pytest.mark.django_db
def test_days_to_the_nearest_test(world: World) -> None:
    scan = world.scans[0]
    put(world, Rules(most_days_to_test=7))
    store_ages(world, ("S0", "44"))
    assert codes(world)[scan.code] == "test_unknown"
    for day, expected in ((100, "day_unknown"), (None, "")):
        if day is None:
            Study.objects.filter(series__scans=scan).update(day=93)
        else:
            PathogenTest.objects.create(record=scan.subject.clinical, pathogen="rsv", day=day, result="negative")
        judge_campaign(world.campaign, actor=world["admin"])
        assert codes(world)[scan.code] == expected
    Study.objects.filter(series__scans=scan).update(day=92)
    judge_campaign(world.campaign, actor=world["admin"])
    assert codes(world)[scan.code] == "test_too_far"


@pytest.mark.django_db
def test_one_series_of_a_study_is_picked_by_hand(world: World) -> None:
    first, second = same_study(world, 0, 3)
    put(world, Rules(one_per_study=True))
    assert (codes(world)[first.code], codes(world)[second.code]) == ("not_picked", "not_picked")
    pick_series(campaign=world.campaign, scan_id=first.pk, actor=world["datamanager"])
    assert (codes(world)[first.code], codes(world)[second.code]) == ("", "another_picked")
    pick_series(campaign=world.campaign, scan_id=second.pk, actor=world["datamanager"])
    assert (codes(world)[first.code], codes(world)[second.code]) == ("another_picked", "")
    pick_series(campaign=world.campaign, scan_id=second.pk, actor=world["datamanager"], is_picked=False)
    assert codes(world)[second.code] == "not_picked"
    assert AuditEntry.objects.filter(action="eligibility.picked").count() == 3
    put(world, Rules(one_per_study=True, least_slices=41))
    with pytest.raises(Conflict) as refused:
        pick_series(campaign=world.campaign, scan_id=first.pk, actor=world["datamanager"])
    assert refused.value.code == "not_to_pick"


@pytest.mark.django_db
def test_a_person_overrules_with_a_reason_and_undoes_it(world: World) -> None:
    scan = world.scans[0]
    put(world, Rules(least_slices=41))
    who: dict[str, Any] = {"campaign": world.campaign, "scan_id": scan.pk, "actor": world["datamanager"]}
    for to, why, code in (("taken", " ", "reason_required"), ("maybe", "why", "bad_choice")):
        with pytest.raises(Invalid) as refused:
            overrule(to=to, why=why, **who)
        assert refused.value.code == code
    overrule(to="taken", why="the only scan of a rare finding", **who)
    assert list(unassigned_scans(world.campaign)) == [scan]
    assert AuditEntry.objects.get(action="eligibility.overruled").why == "the only scan of a rare finding"
    put(world, Rules(least_slices=42))  # judged again: the decision stays
    assert codes(world)[scan.code] == ""
    undo_overrule(**who)
    assert codes(world)[scan.code] == "too_few_slices"
    with pytest.raises(Conflict) as conflict:
        undo_overrule(**who)
    assert conflict.value.code == "not_overruled"
    put(world, LEAST)
    overrule(to="left_out", why="motion over both lungs", **who)
    assert codes(world)[scan.code] == "overruled"
    for wrong in ("", "no uuid", str(world.campaign.pk)):
        with pytest.raises(Invalid) as refused:
            overrule(**{**who, "scan_id": wrong}, to="taken", why="why")
        assert refused.value.code == "no_such_scan"
    with pytest.raises(Forbidden):
        overrule(**{**who, "actor": world["coordinator"]}, to="taken", why="why")


@pytest.mark.django_db
def test_the_same_voxels_under_another_name_are_told(world: World) -> None:
    twin = world.scans[3]
    Scan.objects.filter(pk=twin.pk).update(pack_key=world.scans[0].pack_key)
    put(world, LEAST)
    assert codes(world)[twin.code] == "duplicate"
    told = Eligibility.objects.get(scan=twin).reasons
    assert told == [["duplicate", "The same voxels as VX-A-0001, which came under another subject."]]
    assert codes(world)["VX-A-0001"] == ""


@pytest.mark.django_db
def test_what_depended_on_a_withdrawn_scan_is_judged_again(world: World) -> None:
    first, second = same_study(world, 0, 3)
    twin = world.scans[1]
    Scan.objects.filter(pk=twin.pk).update(pack_key=first.pack_key)
    put(world, Rules(one_per_study=True))
    pick_series(campaign=world.campaign, scan_id=first.pk, actor=world["datamanager"])
    assert (codes(world)[second.code], codes(world)[twin.code]) == ("another_picked", "duplicate")
    withdraw(scan_id=first.pk, actor=world["datamanager"], why="consent taken back")
    assert first.code not in codes(world)
    assert (codes(world)[second.code], codes(world)[twin.code]) == ("", "")
    erase(subject_id=second.subject_id, actor=world["datamanager"], why="asked for", confirmation="S3")
    assert second.code not in codes(world)


@pytest.mark.django_db
def test_voxels_that_come_again_under_another_patient_are_told(world: World, tmp_path: Path) -> None:
    told = []
    for name in ("P-0001", "P-0002"):
        folder = tmp_path / name
        make_series(folder, subject=name)
        told.append(import_now(path=folder, site=world.sites["a"], campaign=world.campaign, actor=world["datamanager"]))
    assert told[1]["scans"][0]["code"] == told[0]["scans"][0]["code"]
    assert [note for note in told[1]["notes"] if "under another patient" in note]
    assert not [note for note in told[0]["notes"] if "under another patient" in note]


@pytest.mark.django_db
def test_each_count_of_the_flow_chart_is_a_query_and_work_stays_where_it_is(world: World) -> None:
    batch = publish(world, size=2)
    label(world, first_of(batch))
    approve(world, first_of(batch))
    assert approved_rounds(world.campaign).count() == 1
    release = Release.objects.create(campaign=world.campaign, name="r")
    put(world, LEAST)
    for scan, why in ((first_of(batch).scan, "wrong patient"), (world.scans[5], "motion")):
        overrule(campaign=world.campaign, scan_id=scan.pk, to="left_out", why=why, actor=world["datamanager"])
    assert batch.assignments.filter(stage="annotation").count() == 2
    assert not list_candidates(release).exists()
    assert not approved_rounds(world.campaign).exists()
    flow = flow_of(release, [])
    assert (flow["excluded"], flow["eligible"], flow["labelled"]) == ({"overruled": 2}, 4, 0)
    gone = flow["withdrawn"] + flow["erased"] + flow["not_converted"] + sum(flow["refused"].values())
    assert flow["received"] == gone + excluded(world.campaign).count() + flow["eligible"] == 6
    steps = list_steps({"flow": flow, "release": {}, "scans": []})
    assert ("excluded: excluded by a person", 2) in steps[0].left


@pytest.mark.django_db
def test_many_scans_are_judged_by_a_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.work.eligibility.judging.MOST_AT_ONCE", 2)
    changed, job = set_criteria(campaign=world.campaign, rules=Rules(least_slices=41), actor=world["datamanager"])
    assert changed
    assert job is not None
    assert not Eligibility.objects.exists()
    judge_scans(str(job.pk))
    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.result) == ("succeeded", {"changed": 6})
    assert set(codes(world).values()) == {"too_few_slices"}
