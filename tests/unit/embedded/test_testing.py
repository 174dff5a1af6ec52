"""The whole suite: few failed tests are tried once more, and named; everything else stays failed."""

import os
import sys
from pathlib import Path

import pytest

from voxloop.embedded.testing import SECOND_TRIES, run_suite

CONFIGURATION = "[pytest]\ntestpaths = tests\n"
FLAWED = "def test_of_nothing_{n}():\n    assert False\n"
# The first run leaves a file behind; with it the test passes.
UNSTEADY = """
import pathlib
def test_that_passes_later():
    trace = pathlib.Path(__file__).with_suffix(".trace")
    seen = trace.exists()
    trace.touch()
    assert seen
"""


@pytest.mark.parametrize(
    ("tests", "code", "said", "tries"),
    [
        ("def test_that_passes():\n    pass\n", 0, None, 1),
        (UNSTEADY, 0, "unsteady:\n  tests/test_some.py::test_that_passes_later", 2),
        (UNSTEADY + FLAWED.format(n=1), 1, None, 2),
        ("".join(FLAWED.format(n=n) for n in range(SECOND_TRIES + 1)), 1, None, 1),
    ],
    ids=["passes", "unsteady", "fails-again", "too-many"],
)
def test_few_failures_get_a_second_try(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], tests: str, code: int, said: str | None, tries: int
) -> None:
    (tmp_path / "pytest.ini").write_text(CONFIGURATION)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_some.py").write_text(tests)
    ours = ("PYTEST_", "DJANGO_", "VOXLOOP_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    assert run_suite(tmp_path, environment) == code
    out, err = capfd.readouterr()
    assert out.count("test session starts") == tries
    assert ("Passed on the second try" in out + err) == (said is not None)
    if said:
        assert said in out + err
