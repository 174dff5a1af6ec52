"""Profiles: what a training starts from, one readable file each. Copy one under another name, and change it."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from mlservice.contract.config import TrainingConfig
from voxloop.child import ContractError

FOLDER = Path(__file__).parents[1] / "profiles"
# Planning sets these: the classes from the masks, the threads from the machine, the name from the file.
PLANNED = {"profile", "classes", "cpu_threads"}
SETTINGS = tuple(name for name in TrainingConfig.__struct_fields__ if name not in PLANNED)


def profile_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """The names of the profiles, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def profile(name: str, folder: Path = FOLDER) -> TrainingConfig:
    """The profile of that name, before planning (no classes yet).

    Raises ContractError: `unknown_profile`, or `bad_profile` for a file that is not as docs/ml-contract.md says."""
    names = profile_names(folder)
    if name not in names:
        raise ContractError("unknown_profile", f"There is no profile {name!r}; there are {', '.join(names)}.")
    return read_profile(folder / f"{name}.toml")


def read_profile(path: Path) -> TrainingConfig:
    """A profile from its file, which gives it its name. Raises ContractError `bad_profile`, with what to change."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(path, "The file cannot be read as text") from error
    except tomllib.TOMLDecodeError as error:
        raise _bad(path, str(error)) from error
    for name in values:
        if name not in SETTINGS:
            raise _bad(path, f"There is no setting {name!r}{_meant(name)}")
    try:
        return msgspec.convert({"profile": path.stem, "classes": (), "cpu_threads": 1, **values}, TrainingConfig)
    except msgspec.ValidationError as error:
        raise _bad(path, _in_words(error, values)) from error


def _bad(path: Path, what: str) -> ContractError:
    end = "" if what.endswith((".", "?")) else "."
    return ContractError("bad_profile", f"{path.name}: {what}{end}")


def _meant(name: str) -> str:
    if name in PLANNED:
        return "; planning sets it"
    close = difflib.get_close_matches(name, SETTINGS, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _in_words(error: msgspec.ValidationError, values: dict[str, Any]) -> str:
    missing = [name for name in TrainingConfig.__struct_fields__ if f"`{name}`" in str(error) and name not in values]
    if missing:
        return f"The setting {missing[0]!r} is missing"
    return str(error).replace("`$.", "`")
