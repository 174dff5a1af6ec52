"""`constraints.txt`, `pyproject.toml` and the folders agree."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"].values()
REQUIREMENTS = [Requirement(line) for lines in (PROJECT["dependencies"], *EXTRAS) for line in lines]
LINES = (ROOT / "constraints.txt").read_text().splitlines()


def pins() -> dict[str, str]:
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in LINES)}


def test_each_constraint_is_one_exact_version() -> None:
    odd = [line for line in LINES if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)]
    assert odd == []


def test_constraints_are_in_order_and_unique() -> None:
    names = [line.partition("==")[0].lower() for line in LINES]
    assert names == sorted(set(names))


def test_every_requirement_has_a_version_it_allows() -> None:
    fixed = pins()
    wrong = [
        str(requirement)
        for requirement in REQUIREMENTS
        if not requirement.specifier.contains(fixed.get(canonicalize_name(requirement.name), "0"), prereleases=True)
        or canonicalize_name(requirement.name) not in fixed
    ]
    assert wrong == []


def test_the_wheel_holds_every_module(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    roots = {"voxloop": ROOT / "platform", "annotation": ROOT, "mlservice": ROOT}
    expected = {str(path.relative_to(base)) for name, base in roots.items() for path in (base / name).rglob("*.py")}
    assert inside == expected


def test_embedded_imports_the_standard_library_only() -> None:
    """It runs before any package is installed."""
    foreign = set()
    for path in (ROOT / "platform" / "voxloop" / "embedded").glob("*.py"):
        for line in path.read_text().splitlines():
            found = re.match(r"\s*(?:from|import) ([a-z_A-Z]+)", line)
            if found and found.group(1) not in sys.stdlib_module_names | {"voxloop"}:
                foreign.add((path.name, found.group(1)))
    # Django's command line, used only after the environment is installed.
    assert foreign == {("entry.py", "django")}
