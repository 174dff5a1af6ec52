"""Whatever coordinators, annotators and reviewers do in any order, every scan is in exactly one list."""

import os

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from annotation.work.people import invite_person
from tests.factories.hospital import ACTS, ANNOTATORS, Hospital, Step
from tests.factories.kept_world import again
from tests.factories.world import PASSWORD, build_world
from voxloop.accounts.roles import Role

# The suite tries the same few every time; VOXLOOP_EXAMPLES=500 tries others, and more.
FEW = 8
EXAMPLES = int(os.environ.get("VOXLOOP_EXAMPLES", FEW))
STEPS = st.lists(
    st.builds(
        Step,
        act=st.sampled_from([act.__name__ for act in ACTS]),
        number=st.integers(0, 11),
        person=st.sampled_from([None, *ANNOTATORS]),
        yes=st.booleans(),
    ),
    min_size=30,
    max_size=40,
)


@pytest.mark.django_db
def test_every_scan_is_in_exactly_one_list() -> None:
    world = again(build_world, scans=3, shape_zyx=(8, 32, 32))
    for name in ("reader", "everywhere"):
        world.people[name] = invite_person(
            username=name,
            password=PASSWORD,
            actor=world["admin"],
            roles=[(world.campaign, Role.ANNOTATOR)],
            sites=world.sites.values(),
        )
    hospital = Hospital(world)

    @given(steps=STEPS)
    @settings(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES == FEW,
        deadline=None,
        database=None,
        phases=[Phase.generate] if EXAMPLES == FEW else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    def holds(steps: list[Step]) -> None:
        with transaction.atomic():
            hospital.make_batch(Step("make_batch", number=2, person="annotator", yes=True))
            for n, step in enumerate(steps):
                getattr(hospital, step.act)(step)
                found = hospital.lists()
                assert all(len(lists) == 1 for lists in found.values()), (found, steps[: n + 1], hospital.rows())
            transaction.set_rollback(True)

    holds()
