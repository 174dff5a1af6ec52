"""A sample of the bad inputs of `benchmarks/_badinputs`, sent to a running product. The benchmark sends all."""

import random

from benchmarks._badinputs.bodies import broken_message, broken_nifti
from benchmarks._badinputs.named import list_named
from benchmarks._badinputs.product import run_on_product
from benchmarks._badinputs.world import Targets
from tests.product import Product

SLICE, GENERATED = 5, 400


def test_bad_inputs_have_codes_and_leave_nothing(product: Product) -> None:
    facts = run_on_product(product, seed=9, count=GENERATED, step=SLICE)
    assert facts.holds, facts.to_json()
    assert facts.generated == GENERATED
    assert sum(facts.by_status.values()) == facts.named + GENERATED
    assert {400, 401, 404, 405, 412, 422} <= set(facts.by_status)


def test_there_are_enough_of_them_and_they_are_always_the_same() -> None:
    targets = Targets(
        ids=dict.fromkeys(("assignments", "scans", "batches", "reviews", "comments", "releases", "revisions"), "x"),
        tokens={},
        shape_zyx=[8, 8, 8],
        site="a",
        campaign="c",
    )
    named = list_named(targets)
    assert len({(one.method, one.path, str(one.headers), one.body) for one in named}) >= 300
    assert named == list_named(targets)
    for broken in (broken_message, broken_nifti):
        assert broken([8, 8, 8], random.Random(3)) == broken([8, 8, 8], random.Random(3))
