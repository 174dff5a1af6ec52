"""The list of settings that an administrator reads: complete, and without a secret in it."""

import re
from pathlib import Path

from voxloop.installation.described import DESCRIBED, SECRET, describe_settings

ROOT = Path(__file__).parents[3]
# Read by the entry point alone, before there is an installation; not of interest to those who run one.
ELSEWHERE = {"VOXLOOP_TORCH_INDEX", "VOXLOOP_INTERACTIVE_"}
NAME = re.compile(r"VOXLOOP_[A-Z_]+")


def test_every_setting_of_the_manual_is_described() -> None:
    manual = (ROOT / "docs" / "operating.md").read_text("utf-8")
    table = [line for line in manual.splitlines() if line.startswith("| `VOXLOOP_")]
    documented = {name for line in table for name in NAME.findall(line.split(" | ")[0])}
    described = {name for rows in DESCRIBED.values() for name, *_ in rows}
    assert len(documented) > 30
    assert documented - ELSEWHERE == described


def test_secrets_and_what_logs_in_are_not_shown() -> None:
    names = [name for rows in DESCRIBED.values() for name, *_ in rows]
    addresses = {
        "VOXLOOP_DATABASE": "postgresql://voxloop:hunter2@db.test:5432/voxloop",
        "VOXLOOP_MAIL": "smtps://us%40er:hunter2@mail.test:465",
        "VOXLOOP_STORAGE": "s3://bucket/prefix?endpoint=https://s3.test&secret_key=hunter2&region=eu",
        "VOXLOOP_ANCHORS": "file:///mount/a s3://a:hunter2@b/c mailto:anchors@clinic.test",
    }
    shown = {
        one.name: one
        for rows in describe_settings(dict.fromkeys(SECRET, "hunter2") | addresses).values()
        for one in rows
    }
    assert set(shown) == set(names)
    assert not [one for one in shown.values() if "hunter2" in one.value]
    assert shown["VOXLOOP_DATABASE"].value == "postgresql://…@db.test:5432/voxloop"
    assert shown["VOXLOOP_STORAGE"].value == "s3://bucket/prefix?endpoint=https://s3.test&secret_key=…&region=eu"
    assert shown["VOXLOOP_ANCHORS"].value == "file:///mount/a s3://…@b/c mailto:anchors@clinic.test"
    assert (shown["VOXLOOP_SECRET_KEY"].value, shown["VOXLOOP_SECRET_KEY"].is_set) == ("set, not shown", True)
    assert (shown["VOXLOOP_IDLE_MINUTES"].value, shown["VOXLOOP_IDLE_MINUTES"].is_set) == ("60", False)
