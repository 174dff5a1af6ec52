"""Steps of the set-up, without a network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from voxloop.embedded import bootstrap
from voxloop.embedded.messages import StartError

ROOT = Path(__file__).parents[3]


def test_requirements_of_the_tests_come_on_top() -> None:
    product = bootstrap.requirements(ROOT, with_tests=False)
    everything = bootstrap.requirements(ROOT, with_tests=True)
    assert everything[: len(product)] == product
    assert "pytest" in everything
    assert "pytest" not in product


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("django>=5.2,<5.3", "django"),
        ("django-allauth[mfa]", "django-allauth"),
        ("psycopg[binary]>=3", "psycopg"),
        ("argon2_cffi", "argon2-cffi"),
        ("SimpleITK", "simpleitk"),
    ],
)
def test_names_are_read_from_requirement_lines(line: str, name: str) -> None:
    assert bootstrap.distribution_name(line) == name


def test_missing_names_what_is_not_there() -> None:
    assert bootstrap.missing(["django>=5", "no-such-distribution==1"]) == ["no-such-distribution"]


def test_this_environment_is_used_as_it_is() -> None:
    assert bootstrap.ensure_environment(ROOT, with_tests=True) is None


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            ["Collecting x", "ERROR: No matching distribution found for x==1", "ERROR: other"],
            "ERROR: No matching distribution found for x==1",
        ),
        (
            ["\x1b[31merror during build:\x1b[0m", "1 error:", "Could not resolve './a'"],
            "error during build: 1 error: Could not resolve './a'",
        ),
        (["ERROR: Could not install: [Errno 28] No space left on device"], "the disk is full."),
        (["npm error code ENOENT"], "npm error code ENOENT"),
        (["something else"], "something else"),
        ([], "it ended without a message."),
    ],
)
def test_the_reason_is_one_line(lines: list[str], sentence: str) -> None:
    assert bootstrap.reason(lines) == sentence


def test_a_bare_python_gets_an_environment_of_its_own(tmp_path: Path) -> None:
    bootstrap.create_venv(tmp_path / ".venv")
    python = tmp_path / ".venv" / "bin" / "python"
    printed = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert Path(printed.stdout.strip()) == tmp_path / ".venv"


def test_the_front_end_is_built_once_and_again_when_a_source_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stub instead of Vite: tests when it is called, and with which arguments."""
    folder = tmp_path / "frontend"
    vite = folder / "node_modules" / "vite" / "bin" / "vite.js"
    vite.parent.mkdir(parents=True)
    vite.write_text(
        "const fs = require('fs'); fs.mkdirSync('dist', {recursive: true});"
        "fs.appendFileSync('dist/built', process.argv[2] + '\\n');"
    )
    (folder / "package.json").write_text("{}")
    (folder / "src").mkdir()
    (folder / "src" / "main.ts").write_text("1")
    monkeypatch.setattr(bootstrap, "install_frontend", lambda *_: None)
    built = folder / "dist" / "built"
    bootstrap.ensure_frontend(tmp_path)
    bootstrap.ensure_frontend(tmp_path)
    assert built.read_text() == "build\n"
    (folder / "src" / "main.ts").write_text("2")
    bootstrap.ensure_frontend(tmp_path)
    assert built.read_text() == "build\nbuild\n"
    vite.write_text("console.error('error: no such module'); process.exit(1)")
    (folder / "src" / "main.ts").write_text("3")
    with pytest.raises(StartError, match=r"^The front end could not be made: error: no such module$"):
        bootstrap.ensure_frontend(tmp_path)


def test_node_is_found_without_a_system_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    node, npm = bootstrap.find_node()
    assert subprocess.run([node, "--version"], capture_output=True, text=True).stdout.startswith("v")
    path = os.pathsep.join([str(Path(node).parent), "/usr/bin", "/bin"])
    done = subprocess.run([*npm, "--version"], capture_output=True, text=True, env={"PATH": path, "HOME": "/nowhere"})
    assert done.returncode == 0, done.stderr


def test_an_old_python_is_told_in_one_sentence() -> None:
    script = (
        "import sys, runpy\n"
        "sys.version_info = (3, 10, 0)\n"
        f"sys.argv = ['manage.py', 'demo']; runpy.run_path({str(ROOT / 'manage.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Voxloop needs Python 3.11 or newer")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["--help"], 0), ([], 2), (["demo", "--help"], 0), (["demo", "--port", "0"], 2), (["bench", "nothing"], 2)],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    done = subprocess.run([sys.executable, str(ROOT / "manage.py"), *arguments], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
