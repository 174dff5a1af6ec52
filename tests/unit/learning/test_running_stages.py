"""A stage of the ML service as part of a job: what it reports, and why it ended."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from annotation.learning import folders, stages
from annotation.learning.folders import write_scan
from annotation.learning.stages import _Relay, run_stage, stage_environment
from annotation.masks import interactive
from annotation.scans.models import Scan
from annotation.work.schema import Layer
from voxloop.child import ChildError, ChildProgress, Document
from voxloop.child.protocol import END_WITH_STDIN
from voxloop.kernel.errors import Conflict


class Ask(Document, frozen=True):
    pass


class Held:
    """A claim of a job that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []
        self.beats = 0

    def report(self, percent: int, sentence: str) -> None:
        self.told.append((percent, sentence))

    def beat(self) -> None:
        self.beats += 1


def step(n: int, total: int = 4) -> ChildProgress:
    return ChildProgress(n, total, f"Step {n}")


def relay(held: Held, span: tuple[int, int] = (10, 50), on_progress: Any = None) -> _Relay:
    claim: Any = held
    return _Relay(claim, span, on_progress)


def test_progress_fills_the_stages_part_of_the_job() -> None:
    held = Held()
    found = relay(held)
    for n in range(5):
        found._told_at = -10.0  # a second is over
        found.look([step(n)])
    assert held.told == [(10, "Step 0"), (20, "Step 1"), (30, "Step 2"), (40, "Step 3"), (50, "Step 4")]
    found.look([step(4)])
    found.look([step(4)])
    found.flush()
    found.flush()  # nothing is left to tell
    assert len(held.told) == 6
    found._told_at = -10.0
    found.look([ChildProgress(0, 0, "Begins")])
    assert held.told[-1] == (10, "Begins")


def test_lines_that_came_too_fast_are_told_together_and_none_is_lost() -> None:
    held = Held()
    seen: list[list[ChildProgress]] = []
    found = relay(held, on_progress=seen.append)
    found._told_at = float("inf")  # just told
    for n in range(3):
        found.look([step(n)])
    assert (held.told, seen) == ([], [])
    found.flush()
    assert held.told == [(30, "Step 2")]
    assert [[each.step for each in lines] for lines in seen] == [[0, 1, 2]]


def test_a_silent_stage_still_holds_its_job() -> None:
    held = Held()
    found = relay(held)
    found._told_at = -10.0
    found.look([])
    assert (held.beats, held.told) == (1, [])


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        (ChildError("died", "It ended without a result (exit code 3)."), "stage_died", "The plan stage ended without"),
        (ChildError("killed", "It was killed (signal 9).", signal=9), "stage_died", "It was killed (signal 9)."),
        (ChildError("no_space", "The disk is full."), "no_space", "The disk is full."),
        (ChildError("nothing_to_learn", "No mask."), "nothing_to_learn", "No mask."),
    ],
)
def test_why_a_stage_ended(
    end: ChildError, code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()

    def fail(*args: Any, on_look: Any, **options: Any) -> None:
        on_look([step(0)])
        on_look([step(1)])
        raise end

    monkeypatch.setattr(stages, "run_child", fail)
    claim: Any = held
    with pytest.raises(Conflict) as refused:
        run_stage("plan", Ask(), Ask, folder=tmp_path, held=claim, span=(0, 100))
    assert refused.value.code == code
    assert words in refused.value.detail
    assert held.told[-1] == (25, "Step 1")  # the last that it said is not lost


def test_a_stage_sees_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOXLOOP_SECRET_KEY", "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    found = stage_environment()
    assert "secret" not in found.values()
    assert (found["CUDA_VISIBLE_DEVICES"], found[END_WITH_STDIN]) == ("1", "1")


def test_an_x_ray_is_not_learned_from_and_not_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planar = SimpleNamespace(geometry=SimpleNamespace(shape_zyx=(1, 4, 4)), pack=SimpleNamespace(dtype="uint16"))
    for module in (folders, interactive):
        monkeypatch.setattr(module, "read_index", lambda scan: planar)
    scan = Scan(code="VX-A-0001")
    layer = Layer("findings", "Findings", True, [])
    box = (slice(0, 1), slice(0, 4), slice(0, 4))
    for work in (lambda: write_scan(tmp_path, scan, layer), lambda: interactive._read(scan, box)):
        with pytest.raises(Conflict) as refused:
            work()
        assert refused.value.code == "not_a_ct"
    assert list(tmp_path.iterdir()) == []
