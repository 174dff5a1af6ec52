"""A few kills of web processes, back ends, postmaster and worker under load; `bench reliability` runs hundreds."""

from benchmarks._kills import run_kills


def test_every_acknowledged_save_is_there_once() -> None:
    facts = run_kills(5, seed=3, of_today=0)["ours"]
    assert (facts.lost, facts.twice, facts.faults) == (0, 0, [])
    assert facts.acknowledged >= 5
    assert facts.kills.total() == 5
