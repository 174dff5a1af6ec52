"""Acquisition: the choice of the next scans."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlservice.acquire import choose, k_means
from mlservice.contract import AcquireRequest, AcquireResult, AcquireScan
from mlservice.embedding import embed
from tests.ml.bodies import ask, make_scan, run
from voxloop.child import read_json


def candidates(count: int, *, led: Any = True, sites: Any = "AAAB") -> Any:
    random = np.random.default_rng(5)
    points = random.standard_normal((count, 6))
    scans = tuple(
        AcquireScan(
            f"s{n:03}",
            sites[n % len(sites)],
            embedding=tuple(points[n]),
            uncertainty=float(random.uniform(0.1, 0.9)) if led else None,
            extent_ml=float(random.choice([0.0, 20.0, 200.0])) if led else None,
        )
        for n in range(count)
    )
    return scans, points


def ids(result: Any, why: str | None = None) -> Any:
    return [choice.id for choice in result.choices if why in (None, choice.why)]


def test_without_a_model_each_site_gets_its_share_and_far_ends_are_both_seen() -> None:
    scans, _ = candidates(40, led=False)
    points = np.array([[float(n // 20 * 100 + n % 20)] for n in range(40)])
    result = choose(AcquireRequest(scans, 8, seed=1), points)
    assert {choice.why for choice in result.choices} == {"diverse"}
    chosen = [scan for scan in scans if scan.id in ids(result)]
    assert len(chosen) == 8
    # A quarter of the scans are B's; half of the batch is shared evenly among sites, so B gets three of eight.
    assert [scan.site for scan in chosen].count("B") == 3
    for site in "AB":
        ends = {int(scan.id[1:]) // 20 for scan in chosen if scan.site == site}
        assert ends == {0, 1}


def test_with_a_model_shares_are_kept() -> None:
    scans, points = candidates(200)
    labelled = tuple(AcquireScan(f"old{n}", "A", embedding=(0.0,)) for n in range(30))
    result = choose(AcquireRequest(scans, 50, seed=2, labelled=labelled), points)
    whys = [choice.why for choice in result.choices]
    assert (whys.count("repeat"), whys.count("random"), whys.count("uncertain")) == (3, 5, 42)
    assert len(set(ids(result))) == 50
    assert all(name.startswith("old") for name in ids(result, "repeat"))


def test_the_unsure_come_before_the_sure() -> None:
    scans, points = candidates(200)
    unsure = {scan.id: scan.uncertainty for scan in scans}
    result = choose(AcquireRequest(scans, 40, seed=2, round=30), points)
    chosen = [unsure[name] for name in ids(result, "uncertain")]
    assert np.mean(chosen) > np.mean(list(unsure.values())) + 0.1


def test_a_rare_site_is_always_among_the_chosen() -> None:
    scans, points = candidates(100, sites="A" * 19 + "B")
    for seed in range(5):
        result = choose(AcquireRequest(scans, 10, seed=seed), points)
        assert any(scan.site == "B" for scan in scans if scan.id in ids(result, "uncertain"))


def test_the_highest_scores_are_the_batch() -> None:
    scans, points = candidates(60)
    result = choose(AcquireRequest(scans, 12, seed=3), points)
    ordered = sorted(result.scores, key=lambda name: -result.scores[name])
    assert ordered[:12] == ids(result)
    assert set(ordered) == {scan.id for scan in scans}


@pytest.mark.parametrize("led", [True, False])
def test_the_same_seed_chooses_the_same(led: Any) -> None:
    scans, points = candidates(80, led=led)
    first = choose(AcquireRequest(scans, 20, seed=9), points)
    assert choose(AcquireRequest(scans, 20, seed=9), points) == first
    assert choose(AcquireRequest(scans, 20, seed=10), points) != first


@pytest.mark.parametrize("count", [0, 1, 3])
def test_fewer_scans_than_places(count: int) -> None:
    scans, points = candidates(count) if count else ((), np.zeros((0, 1)))
    assert sorted(ids(choose(AcquireRequest(scans, 50, seed=1), points))) == sorted(scan.id for scan in scans)


def test_k_means_finds_the_middles() -> None:
    points = np.array([[0.0], [0.2], [10.0], [10.2], [20.0], [20.2]])
    middles = k_means(points, 3, np.random.default_rng(0))
    assert sorted(middles.ravel()) == pytest.approx([0.1, 10.1, 20.1])


def test_the_stage_describes_scans_itself(tmp_path: Path) -> None:
    scans = [make_scan(tmp_path, f"s{n}", n, site="AB"[n % 2], lesions=n % 3) for n in range(6)]
    request = AcquireRequest(tuple(AcquireScan(s.id, s.site, s.folder) for s in scans), 4, seed=1)
    folder = ask(tmp_path / "job", request)
    assert run("acquire", folder).returncode == 0
    assert len(read_json(AcquireResult, folder / "result.json").choices) == 4
    volume = np.load(tmp_path / "scans" / "s0" / "volume.npy")
    assert embed(volume).shape == (160,)
    assert np.isfinite(embed(volume)).all()
