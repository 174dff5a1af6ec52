"""`manage.py doctor` with real processes: none running, all running, one missing."""

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.product import ROOT, Product, free_port, wait_for


def ask(product: Product, *before: str, **more: str) -> tuple[int, dict[str, Any]]:
    """Exit code, and findings by name; `before` is a program that runs the command."""
    done = subprocess.run(
        [*before, sys.executable, "manage.py", "doctor", "--json"],
        cwd=ROOT,
        env=product.environment | more,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, {one["name"]: one for one in json.loads(done.stdout)["findings"]}


def test_the_doctor_beside_real_processes(product: Product) -> None:
    code, found = ask(product)
    assert code == 1
    assert {name: found[name]["health"] for name in ("database", "migrations", "storage")} == dict.fromkeys(
        ("database", "migrations", "storage"), "ok"
    )
    assert {found[name]["health"] for name in ("worker default", "worker ml")} == {"fails"}
    for name in ("default", "ml"):
        product.start(name)

    def both_work() -> bool:
        found = ask(product)[1]
        return {found[name]["health"] for name in ("worker default", "worker ml")} == {"ok"}

    wait_for("both workers to carry a task out", both_work, 180, every=0.5)
    product.kill("ml")
    _, found = ask(product)
    assert (found["worker default"]["health"], found["worker ml"]["health"]) == ("ok", "fails")


@pytest.mark.fault("a clock that is wrong, and no database")
def test_the_doctor_without_a_database_and_with_a_wrong_clock(product: Product) -> None:
    code, found = ask(product, VOXLOOP_DATABASE=f"postgresql://nobody:x@127.0.0.1:{free_port()}/nothing")
    assert code == 1
    assert found["database"]["health"] == "fails"
    assert found["audit"]["sentence"] == "This could not be checked without the database."
    assert found["storage"]["health"] == "ok"
    fake = shutil.which("faketime")
    assert fake, "faketime is missing: apt-get install faketime"
    _, found = ask(product, fake, "-f", "+1h")
    assert found["clock"]["health"] == "fails"
