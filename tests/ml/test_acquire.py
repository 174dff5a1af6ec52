"""Acquisition: the orders in which scans are worth labelling."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mlservice.choosing import choose
from mlservice.contract import AcquireRequest, AcquireResult, AcquireScan, Choice
from tests.ml.bodies import ask, run
from voxloop.child import read_json


def candidates(count: int, *, led: bool = True, sites: str = "AAAB", held_out: str = "") -> tuple[AcquireScan, ...]:
    random = np.random.default_rng(5)
    scans = []
    for n in range(count):
        site = sites[n % len(sites)]
        out, asked = site in held_out, led and site not in held_out
        scans.append(
            AcquireScan(
                f"s{n:03}",
                site,
                () if out else tuple(float(n) for n in random.standard_normal(6)),
                float(random.uniform(0.1, 0.9)) if asked else None,
                float(random.choice([0.0, 20.0, 200.0])) if asked else None,
                is_held_out=out,
            )
        )
    return tuple(scans)


def sites_of(order: tuple[Choice, ...], scans: tuple[AcquireScan, ...]) -> Counter[str]:
    site = {scan.id: scan.site for scan in scans}
    return Counter(site[place.id] for place in order)


def test_without_a_model_each_site_gets_its_share_and_far_ends_are_both_seen() -> None:
    scans = tuple(AcquireScan(f"s{n:02}", "AAAB"[n % 4], (float(n // 20 * 100 + n % 20),)) for n in range(40))
    orders = choose(AcquireRequest(scans, 8, seed=1))
    assert set(orders) == {"hybrid", "random"}  # the others need a model
    batch = orders["hybrid"][:8]
    assert {place.why for place in batch} == {"diverse"}
    # A quarter of the scans are B's; half of the batch is shared evenly among sites, so B gets three of eight.
    assert sites_of(batch, scans) == {"A": 5, "B": 3}
    for site in "AB":
        mine = [int(place.id[1:]) for place in batch if "AAAB"[int(place.id[1:]) % 4] == site]
        assert {number // 20 for number in mine} == {0, 1}


@pytest.mark.parametrize("size", [4, 7, 10, 25, 50])
def test_any_beginning_of_the_order_is_a_fair_batch(size: int) -> None:
    scans = candidates(200, sites="A" * 12 + "B" * 7 + "C")
    batch = choose(AcquireRequest(scans, 50, seed=2))["hybrid"][:size]
    shares = {"A": 0.6, "B": 0.35, "C": 0.05}
    for site, share in shares.items():
        owed = size * (0.5 / 3 + 0.5 * share)
        assert abs(sites_of(batch, scans)[site] - owed) <= 1, site


def test_a_site_that_fell_behind_comes_first() -> None:
    scans = candidates(60, sites="AB")
    labelled = tuple(AcquireScan(f"old{n}", "A", (0.0,) * 6) for n in range(30))
    batch = choose(AcquireRequest(scans, 10, seed=2, labelled=labelled))["hybrid"][:10]
    assert sites_of(batch, scans) == {"B": 10}


def test_the_random_share_and_the_unsure() -> None:
    scans = candidates(200)
    unsure = {scan.id: scan.uncertainty or 0.0 for scan in scans}
    order = choose(AcquireRequest(scans, 40, seed=2, round=30))["hybrid"]
    assert len({place.id for place in order}) == 200
    batch = order[:40]
    assert 2 <= sum(place.why == "random" for place in batch) <= 4
    chosen = [unsure[place.id] for place in batch if place.why == "uncertain"]
    assert np.mean(chosen) > np.mean(list(unsure.values())) + 0.1
    first = next(place for place in batch if place.why == "uncertain")
    lower = sum(value < unsure[first.id] for value in unsure.values())
    assert first.surer == pytest.approx(lower / 200, abs=1e-4)


def test_no_model_says_which_scans_of_a_hold_out_site_are_labelled() -> None:
    scans = candidates(120, sites="AAAV", held_out="V")
    orders = choose(AcquireRequest(scans, 20, seed=3))
    assert set(orders) == {"hybrid", "entropy", "foreground_random", "random"}
    for name, order in orders.items():
        mine = [place for place in order if place.id in {scan.id for scan in scans if scan.is_held_out}]
        assert {(place.why, place.surer) for place in mine} == {("held_out", None)}, name
        assert sum(place.why == "held_out" for place in order[:40]) >= 6, name


def test_entropy_is_the_least_sure_first() -> None:
    scans = candidates(50)
    unsure = {scan.id: scan.uncertainty or 0.0 for scan in scans}
    order = choose(AcquireRequest(scans, 10, seed=3))["entropy"]
    assert [place.id for place in order] == sorted(unsure, key=lambda name: -unsure[name])


def test_two_of_three_have_a_predicted_finding_while_there_are_any() -> None:
    scans = candidates(90)
    marked = {scan.id for scan in scans if (scan.extent_ml or 0) >= 1}
    order = choose(AcquireRequest(scans, 30, seed=3))["foreground_random"]
    wanted = [place for place in order[:30] if place.why == "foreground"]
    assert len(wanted) == 20
    assert {place.id for place in wanted} <= marked
    assert len({place.id for place in order}) == 90


@pytest.mark.parametrize("led", [True, False])
def test_the_same_seed_chooses_the_same(led: bool) -> None:
    scans = candidates(80, led=led)
    first = choose(AcquireRequest(scans, 20, seed=9))
    assert choose(AcquireRequest(scans, 20, seed=9)) == first
    assert choose(AcquireRequest(scans, 20, seed=10)) != first


@pytest.mark.parametrize("count", [0, 1, 3])
def test_fewer_scans_than_places(count: int) -> None:
    scans = candidates(count)
    for order in choose(AcquireRequest(scans, 50, seed=1)).values():
        assert sorted(place.id for place in order) == sorted(scan.id for scan in scans)
        assert [place.score for place in order] == sorted((place.score for place in order), reverse=True)


def test_the_stage_orders_every_candidate(tmp_path: Path) -> None:
    folder = ask(tmp_path / "job", AcquireRequest(candidates(6), 4, seed=1))
    assert run("acquire", folder).returncode == 0
    orders = read_json(AcquireResult, folder / "result.json").orders
    assert {name: len(order) for name, order in orders.items()} == dict.fromkeys(orders, 6)
