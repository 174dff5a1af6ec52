"""Amounts in a radiograph are areas, never volumes."""

from pathlib import Path

import pytest

from annotation.intake.services import import_now
from annotation.masks.answers import save_answers
from annotation.pages.selectors.reviews import tell
from annotation.reviews.services import list_interlocks, submit_assignment
from tests.factories.world import World, ball, label, publish
from tests.factories.xray import COLUMNS, ROWS, make_xray


@pytest.mark.django_db
def test_what_is_marked_in_an_x_ray_is_an_area(world: World, tmp_path: Path) -> None:
    result = import_now(
        path=make_xray(tmp_path, "MONOCHROME2"),
        site=world.sites["a"],
        campaign=world.campaign,
        actor=world["datamanager"],
    )
    assignment = publish(world, size=7).assignments.get(scan__code=result["scans"][0]["code"])
    label(world, assignment)
    area = int(ball((1, ROWS, COLUMNS)).sum()) * 0.4 * 0.5 / 100
    annotator = world["annotator"]
    answers = {"diagnosis": "no_signs", "quality": "good"}
    save_answers(assignment_id=assignment.pk, values=answers, actor=annotator)
    assert [lock.message for lock in list_interlocks(assignment)] == [
        f"“No imaging signs of infection” is chosen, but {area:.1f} cm² are marked as infectious."
    ]
    save_answers(assignment_id=assignment.pk, values={**answers, "diagnosis": "covid19"}, actor=annotator)
    row = tell([submit_assignment(assignment_id=assignment.pk, actor=annotator)], world["reviewer"])[0]
    assert (row.unit, row.model_amount) == ("cm²", None)
    assert row.amount == pytest.approx(area)
