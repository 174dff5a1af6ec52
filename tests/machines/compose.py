"""Parses docker/compose.yaml and docker/Dockerfile: command and environment of each service."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<sign>[-?])(?P<rest>[^}]*))?\}")


def read_compose() -> dict[str, Any]:
    """The compose file, anchors resolved."""
    found: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return found


def commands_of_images() -> dict[str, list[str]]:
    """The CMD of each stage of the Dockerfile that has one."""
    found, stage = {}, ""
    for line in re.sub(r"\\\n", " ", (DOCKER / "Dockerfile").read_text()).splitlines():
        if start := re.fullmatch(r"FROM \S+ AS (\w+)", line):
            stage = start.group(1)
        elif line.startswith("CMD "):
            found[stage] = json.loads(line.removeprefix("CMD "))
    return found


def command_of(service: str) -> list[str]:
    """The command of the service's container. KeyError for an external image."""
    entry = read_compose()["services"][service]
    command = entry.get("command")
    return list(command) if command else commands_of_images()[entry["build"]["target"]]


def environment_of(service: str, given: Mapping[str, str]) -> dict[str, str]:
    """The service's environment with `given` instead of the shell's variables, interpolated as by compose. An entry
    without a value is passed on when given. Raises LookupError for a missing required variable."""
    entries: Mapping[str, Any] = read_compose()["services"][service]["environment"]
    filled = {name: fill(str(value), given) for name, value in entries.items() if value is not None}
    return filled | {name: given[name] for name, value in entries.items() if value is None and name in given}


def fill(text: str, given: Mapping[str, str]) -> str:
    """`${NAME}`, `${NAME:-default}` and `${NAME:?what to do}` replaced."""

    def replace(found: re.Match[str]) -> str:
        value = given.get(found["name"], "")
        if value or not found["sign"]:
            return value
        if found["sign"] == "?":
            raise LookupError(f"{found['name']}: {found['rest']}")
        return found["rest"]

    return VARIABLE.sub(replace, text)
