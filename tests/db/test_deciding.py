"""Decisions about a model: by the gate, by a person, both ways, and back again; what is kept of them."""

from importlib import import_module
from typing import Any

import pytest

from annotation.learning import deciding, running
from annotation.learning.cards import to_markdown, write_card
from annotation.learning.erasing import PART
from annotation.learning.history import list_decisions
from annotation.learning.models import ModelVersion
from annotation.learning.selectors import champion_of, hold_out_sites, previous_champion, waiting_models
from tests.factories.evidence import case_of, measured, summary_of
from tests.factories.world import World
from voxloop.audit.models import AuditEntry
from voxloop.jobs.models import Job
from voxloop.kernel.errors import Conflict, Forbidden, NotFound

pytestmark = pytest.mark.django_db
GOOD, BETTER = summary_of([0.6 + 0.01 * n for n in range(12)]), summary_of([0.7 + 0.01 * n for n in range(12)])
WORSE, FEW = summary_of([0.4 + 0.01 * n for n in range(12)]), summary_of([0.9] * 4)


def judged(world: World, number: int, challenger: Any, champion: Any = None) -> ModelVersion:
    model, gate = measured(world, number, challenger, champion)
    deciding.decide(model=model, gate=gate)
    return reread(model)


def reread(model: ModelVersion) -> ModelVersion:
    return ModelVersion.objects.select_related("run", "campaign").get(pk=model.pk)


def words(model: ModelVersion) -> list[tuple[str, str, str]]:
    return [(row.by, row.what, row.why) for row in list_decisions(model)]


def test_a_first_model_that_is_good_enough_is_promoted_by_the_gate(world: World) -> None:
    model = judged(world, 1, GOOD)
    assert (model.state, model.run.state, champion_of(world.campaign)) == ("champion", "promoted", model)
    assert words(model) == [("", "Promoted", "the gate passed")]


def test_a_better_one_takes_over_and_a_worse_one_is_held_back(world: World) -> None:
    first, worse, better = judged(world, 1, GOOD), judged(world, 2, WORSE, GOOD), judged(world, 3, BETTER, GOOD)
    assert (worse.state, worse.run.state) == ("rejected", "rejected")
    [(_, what, why)] = words(worse)
    assert what == "Rejected"
    assert "it is lower" in why
    assert "Site c loses 0.200 Dice" in why
    first = reread(first)
    assert (better.state, first.state) == ("champion", "replaced")
    assert (better.replaced_at, first.replaced_at) == (None, better.promoted_at)
    assert words(first)[-1] == ("", "Replaced", "m3 takes over: the gate passed")


def test_too_few_scans_leave_it_to_a_person_who_promotes(world: World) -> None:
    model = judged(world, 1, FEW)
    assert (model.state, model.run.state, champion_of(world.campaign)) == ("undecided", "undecided", None)
    assert "Dice was measured on 4 hold-out scans; below 5 a person decides." in words(model)[0][2]
    with pytest.raises(Conflict, match="left the decision about m1 to a person") as refused:
        deciding.promote_model(model_id=model.pk, actor=world["coordinator"], why="  ")
    assert refused.value.code == "reason_required"
    deciding.promote_model(model_id=model.pk, actor=world["coordinator"], why="Three readers find it useful.")
    model = reread(model)
    assert (model.state, model.run.state, model.promoted_by) == ("champion", "promoted", world["coordinator"])
    assert words(model)[-1] == ("coordinator", "Promoted", "Three readers find it useful.")
    assert model.run.gate["verdict"] == "undecided"  # what the gate said stays
    assert Job.objects.filter(kind=Job.Kind.PREANNOTATE, payload__model=str(model.pk)).exists()


def test_a_person_may_reject_what_the_gate_left_to_them(world: World) -> None:
    model = judged(world, 1, FEW)
    with pytest.raises(Conflict) as refused:
        deciding.reject_model(model_id=model.pk, actor=world["coordinator"], why="")
    assert refused.value.code == "reason_required"
    deciding.reject_model(model_id=model.pk, actor=world["coordinator"], why="It marks every vessel.")
    model = reread(model)
    assert (model.state, model.run.state) == ("rejected", "rejected")
    assert not Job.objects.filter(kind=Job.Kind.PREANNOTATE).exists()
    with pytest.raises(Conflict, match="cannot become rejected"):
        deciding.reject_model(model_id=model.pk, actor=world["coordinator"], why="again")


def test_a_rejected_one_is_promoted_with_a_reason_and_everything_stays_true(world: World) -> None:
    judged(world, 1, GOOD)
    model = judged(world, 2, WORSE, GOOD)
    with pytest.raises(Conflict, match="m2 was rejected; give a reason"):
        deciding.promote_model(model_id=model.pk, actor=world["coordinator"])
    deciding.promote_model(model_id=model.pk, actor=world["coordinator"], why="Site c sends other scans now.")
    model = reread(model)
    assert (model.state, model.run.state, model.run.gate["verdict"]) == ("champion", "promoted", "hold_back")
    assert [(by, what) for by, what, _ in words(model)] == [("", "Rejected"), ("coordinator", "Promoted")]
    entry = AuditEntry.objects.get(action="model_version.champion", object_id=str(model.pk))
    assert (entry.actor, entry.why) == (world["coordinator"], "Site c sends other scans now.")
    assert model.promoted_at is not None
    assert abs((model.promoted_at - entry.at).total_seconds()) < 5


def test_a_champion_that_serves_cannot_be_rejected(world: World) -> None:
    model = judged(world, 1, GOOD)
    with pytest.raises(Conflict, match="that is champion cannot become rejected"):
        deciding.reject_model(model_id=model.pk, actor=world["coordinator"], why="no")


def test_rolling_back_goes_further_back_each_time(world: World) -> None:
    first = judged(world, 1, GOOD)
    with pytest.raises(Conflict) as refused:
        deciding.roll_back(model_id=first.pk, actor=world["coordinator"], why="bad")
    assert refused.value.code == "nothing_to_roll_back"
    second, third = judged(world, 2, BETTER, GOOD), judged(world, 3, BETTER, BETTER)
    with pytest.raises(Conflict, match="Give a reason for going back to m2"):
        deciding.roll_back(model_id=third.pk, actor=world["coordinator"], why=" ")
    assert deciding.roll_back(model_id=third.pk, actor=world["coordinator"], why="bad") == second
    second, third = reread(second), reread(third)
    assert (second.state, third.state, third.replaced_at) == ("champion", "replaced", second.promoted_at)
    assert previous_champion(second) == first
    with pytest.raises(Conflict) as refused:  # it serves no longer
        deciding.roll_back(model_id=third.pk, actor=world["coordinator"], why="bad")
    assert refused.value.code == "nothing_to_roll_back"
    assert deciding.roll_back(model_id=second.pk, actor=world["coordinator"], why="worse") == first
    assert champion_of(world.campaign) == first
    assert words(first)[-1] == ("coordinator", "Promoted", "worse")


def test_who_may_decide(world: World) -> None:
    model = judged(world, 1, FEW)
    for act in (deciding.promote_model, deciding.reject_model, deciding.roll_back):
        with pytest.raises(Forbidden):
            act(model_id=model.pk, actor=world["datamanager"], why="because")
        with pytest.raises(NotFound):
            act(model_id=model.pk, actor=world["annotator"], why="because")
    assert reread(model).state == "undecided"


def test_a_person_decides_where_the_campaign_says_so(world: World) -> None:
    world.campaign.promotes_by_itself = False
    world.campaign.save()
    model = judged(world, 1, GOOD)
    assert model.state == "candidate"
    assert list(waiting_models(world.campaign)) == [model]
    deciding.promote_model(model_id=model.pk, actor=world["coordinator"])  # it passed: no reason is asked
    assert list(waiting_models(world.campaign)) == []


def test_what_was_passed_over_waits_no_longer(world: World) -> None:
    judged(world, 1, FEW)
    judged(world, 2, GOOD)
    third = judged(world, 3, FEW)
    assert list(waiting_models(world.campaign)) == [third]


def test_a_verdict_against_a_former_champion_is_left_to_a_person(world: World) -> None:
    first = judged(world, 1, GOOD)
    model, _ = measured(world, 2, BETTER)
    said = running._say_compared(None, first)
    deciding.leave_to_a_person(model=model, why=said)
    assert (reread(model).state, reread(model).run.state) == ("undecided", "undecided")
    assert words(model) == [("", "Left to a person", "It was measured without a champion, but m1 serves now.")]


def test_the_hold_out_sites_are_those_with_ready_scans(world: World) -> None:
    assert hold_out_sites(world.campaign) == ("c",)


def test_a_card_writes_itself_and_names_nobody(world: World) -> None:
    model = judged(world, 1, FEW)
    deciding.promote_model(model_id=model.pk, actor=world["coordinator"], why="Good | enough\n# for us")
    card = write_card(reread(model))
    assert card["data"]["sites"] == [
        {"site": "a", "side": "train", "scans": 2, "without_mask": 1},
        {"site": "c", "side": "validation", "scans": 1, "without_mask": 0},
    ]
    assert card["limits"] == [
        "It reads CT in Hounsfield units only.",
        "It learned from site a only; other scanners may look different.",
        "It never marks nodule: too little of it was labelled.",
        "Its Dice rests on 4 hold-out scans: take it as a hint.",
        "What it marks on a scan without findings was not measured.",
        "Findings of 0.1 to 1 mL: it finds 0 of 4.",
    ]
    assert [row["by"] for row in card["decisions"]] == ["the gate", "a coordinator"]
    text = to_markdown(card)
    assert "coordinator: promoted. Good enough for us" in text
    assert world["coordinator"].username not in text.replace("a coordinator", "")
    assert "| mean Dice | 0.900 (95 % 0.900 to 0.900) |" in text


def test_an_erasure_takes_the_outlines_and_leaves_the_figures(world: World) -> None:
    first, second = world.scans[2], world.scans[5]
    model, _ = measured(world, 1, GOOD, cases=[case_of(first), case_of(second)])
    [line] = [line for line in PART.describe([first]) if line.what.startswith("Outlines")]
    assert line.count == 1
    PART.before([first], world["datamanager"])
    results = reread(model).run.results
    assert [case["scan"] for case in results["cases"]] == [str(second.pk)]
    assert results["challenger"]["scored"] == 12


def test_earlier_verdicts_are_rewritten_and_back() -> None:
    module = import_module("annotation.learning.migrations.0003_evidence")
    before = {
        "holds": False,
        "rules": [
            {"key": "measured", "holds": True, "challenger": 4.0, "champion": None, "sentence": "Measured."},
            {"key": "mean_dice", "holds": False, "challenger": 0.5, "champion": 0.6, "sentence": "Lower."},
        ],
    }
    after = module.to_outcomes(before)
    assert after["verdict"] == "hold_back"
    assert [rule["outcome"] for rule in after["rules"]] == ["holds", "fails"]
    assert module.to_outcomes(after) == after
    assert module.to_booleans(after) == before
