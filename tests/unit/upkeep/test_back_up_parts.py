"""Parts of a back-up without a database: which one is chosen, its seal, its secrets, and what is pruned."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from annotation.upkeep import wrapping
from annotation.upkeep.copying import copy_object, held_objects, is_intact, with_progress
from annotation.upkeep.manifest import (
    BACKUPS,
    BEGUN,
    FORMAT,
    KEYS,
    MANIFEST,
    choose_backup,
    is_sealed_by,
    list_backups,
    read_manifest,
    write_manifest,
)
from annotation.upkeep.pruning import GIVEN_UP, named_in, prune
from annotation.upkeep.tools import find_tool, run_tool
from annotation.upkeep.verify import key_of, open_backup
from annotation.upkeep.wrapping import unwrap, wrap
from voxloop.kernel.clock import now
from voxloop.kernel.errors import NoSpace, NotFound, Refusal
from voxloop.storage.directory import LocalDirectory, local_copy, open_directory

KEY = "an audit key " * 3
BODY: dict[str, Any] = {"format": FORMAT, "files": {}, "faults": [], "name": "Größe"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """scrypt is slow on purpose."""
    monkeypatch.setattr(wrapping, "COST", {"n": 2, "r": 8, "p": 1})


@pytest.fixture
def directory(tmp_path: Path) -> LocalDirectory:
    return LocalDirectory(tmp_path / "kept")


def put(directory: LocalDirectory, name: str, data: bytes) -> None:
    path = directory.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def back_up(
    directory: LocalDirectory, name: str, *keys: str, is_whole: bool = True, age: timedelta = timedelta()
) -> None:
    put(directory, f"{BACKUPS}/{name}/{BEGUN}", json.dumps({"begun_at": (now() - age).isoformat()}).encode())
    put(directory, f"{BACKUPS}/{name}/{KEYS}", "\n".join(keys).encode())
    if is_whole:
        put(directory, f"{BACKUPS}/{name}/{MANIFEST}", write_manifest(BODY, KEY))


def refused(code: str, work: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        work(*args, **options)
    assert refusal.value.code == code
    assert refusal.value.detail.endswith(".")
    return refusal.value.detail


def test_the_newest_whole_one_is_chosen(directory: LocalDirectory) -> None:
    refused("no_backup", choose_backup, directory, None)
    back_up(directory, "2026-01-03", is_whole=False)
    assert "(1 half-written)" in refused("no_backup", choose_backup, directory, None)
    for name in ("2026-01-01", "2026-01-02"):
        back_up(directory, name)
    assert choose_backup(directory, None) == "2026-01-02"
    assert choose_backup(directory, "2026-01-01") == "2026-01-01"
    assert "2026-01-01, 2026-01-02, 2026-01-03" in refused("no_backup", choose_backup, directory, "2025")
    half = refused("backup_half_written", choose_backup, directory, "2026-01-03")
    assert half.endswith("choose one of 2026-01-01, 2026-01-02.")
    assert [(each.name, each.is_whole) for each in list_backups(directory)][-1] == ("2026-01-03", False)


def test_a_seal_covers_every_letter_of_the_manifest(directory: LocalDirectory) -> None:
    back_up(directory, "one")
    body, seal = read_manifest(directory, "one")
    assert body == BODY
    assert is_sealed_by(body, seal, KEY)
    assert not is_sealed_by(body, seal, KEY + "x")
    assert not is_sealed_by({**body, "name": "Grösse"}, seal, KEY)
    assert not is_sealed_by(body, seal[:-1] + ("0" if seal[-1] != "0" else "1"), KEY)
    assert is_sealed_by(dict(reversed(list(body.items()))), seal, KEY)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "backup_damaged"),
        ("[]", "backup_damaged"),
        ('{"manifest": {}, "seal": ""}', "backup_damaged"),
        ('{"manifest": {"format": "x"}, "seal": ""}', "backup_damaged"),
        ('{"manifest": {"format": 1}}', "backup_damaged"),
        ('{"manifest": {"format": 2}, "seal": ""}', "backup_newer"),
    ],
)
def test_a_manifest_that_cannot_be_used(directory: LocalDirectory, text: str, code: str) -> None:
    put(directory, f"{BACKUPS}/one/{MANIFEST}", text.encode())
    assert "one" in refused(code, read_manifest, directory, "one")


def test_a_back_up_is_opened_by_the_key_that_sealed_it(directory: LocalDirectory, settings: Any) -> None:
    back_up(directory, "one")
    options: dict[str, Any] = {"address": str(directory.root), "at": None, "passphrase": None}
    settings.KEYS_GIVEN = set()
    refused("no_key_for_seal", open_backup, **options)
    settings.KEYS_GIVEN = {"VOXLOOP_AUDIT_KEY"}
    settings.AUDIT_KEY = "another"
    refused("backup_changed", open_backup, **options)
    settings.AUDIT_KEY = KEY
    assert open_backup(**options).name == "one"


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        ({"keys": {"VOXLOOP_AUDIT_KEY": "a", "VOXLOOP_SECRET_KEY": "s"}}, "a"),
        ({"keys": {"VOXLOOP_SECRET_KEY": "s"}}, "s"),
        ({"keys": {}}, ""),
        (None, ""),
    ],
)
def test_the_audit_key_is_the_back_ups_own(secrets: Any, expected: str, settings: Any) -> None:
    settings.KEYS_GIVEN, settings.AUDIT_KEY = set(), "generated"
    assert key_of(secrets) == expected


def test_secrets_open_by_passphrase_and_name_only() -> None:
    secrets = {"keys": {"VOXLOOP_SECRET_KEY": "ä"}, "files": {}}
    document = wrap(secrets, "long enough", name="one")
    assert b"VOXLOOP" not in document
    assert unwrap(document, "long enough", name="one") == secrets
    assert wrap(secrets, "long enough", name="one") != document
    refused("passphrase_wrong", unwrap, document, "long enougH", name="one")
    refused("passphrase_wrong", unwrap, document, "long enough", name="two")
    refused("passphrase_short", wrap, secrets, "short67", name="one")
    changed = json.loads(document)
    changed["sealed"] = base64.b64encode(base64.b64decode(changed["sealed"])[::-1]).decode()
    refused("passphrase_wrong", unwrap, json.dumps(changed).encode(), "long enough", name="one")


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"n": 3, "r": 8, "p": 1, "salt": "AA=="}', '{"n": "x"}'])
def test_secrets_that_cannot_be_read(text: str) -> None:
    assert "back-up one" in refused("backup_damaged", unwrap, text.encode(), "long enough", name="one")


def test_old_back_ups_go_and_what_others_name_stays(directory: LocalDirectory) -> None:
    keys = {name: directory.objects.put("packs", name.encode()) for name in ("old", "both", "new", "nobody")}
    back_up(directory, "1", keys["old"], keys["both"])
    back_up(directory, "2", keys["both"], keys["new"])
    refused("keep_one", prune, directory, keep=0)
    assert prune(directory, keep=5) == []
    assert set(held_objects(directory)) == {keys["old"], keys["both"], keys["new"]}
    assert prune(directory, keep=1) == ["1"]
    assert set(held_objects(directory)) == {keys["both"], keys["new"]}
    assert [each.name for each in list_backups(directory)] == ["2"]
    assert named_in(directory, "2") == [keys["both"], keys["new"]]


@pytest.mark.parametrize(("age", "is_given_up"), [(timedelta(), False), (GIVEN_UP + timedelta(minutes=1), True)])
def test_what_a_back_up_under_way_may_name_is_not_taken(
    directory: LocalDirectory, age: timedelta, is_given_up: bool
) -> None:
    coming = directory.objects.put("packs", b"coming")
    back_up(directory, "1")
    back_up(directory, "2", is_whole=False, age=age)
    assert prune(directory, keep=1) == (["2"] if is_given_up else [])
    assert (coming in held_objects(directory)) is not is_given_up


@pytest.mark.parametrize("text", [b"", b"{}", b'{"begun_at": "yesterday"}'])
def test_a_half_written_one_without_its_time_is_given_up(directory: LocalDirectory, text: bytes) -> None:
    back_up(directory, "1")
    put(directory, f"{BACKUPS}/2/{BEGUN}", text)
    assert prune(directory, keep=1) == ["2"]


def test_objects_are_copied_whole_or_not_at_all(directory: LocalDirectory, tmp_path: Path) -> None:
    source = LocalDirectory(tmp_path / "source").objects
    key = source.put("packs", b"voxels")
    assert copy_object(key, source, directory.objects) == 6
    assert is_intact(directory.objects, key)
    source.path_of(key).write_bytes(b"voxelz")
    refused("object_damaged", copy_object, key, source, directory.objects)
    assert (is_intact(source, key), is_intact(source, f"packs/{'0' * 64}")) == (False, False)
    assert directory.objects.get(key) == b"voxels"
    with local_copy(source, key) as path:
        assert path.read_bytes() == b"voxelz"


def test_progress_goes_from_one_share_to_the_other() -> None:
    told: list[tuple[int, str]] = []
    keys = with_progress("abcd", 4, lambda percent, text: told.append((percent, text)), "Reading", 10, 90)
    assert list(keys) == [*"abcd"]
    assert told == [
        (10, "Reading (0 of 4)"),
        (30, "Reading (1 of 4)"),
        (50, "Reading (2 of 4)"),
        (70, "Reading (3 of 4)"),
    ]
    assert list(with_progress([], 0, lambda percent, text: None, "Reading", 0, 1)) == []


def test_named_files_lie_in_their_directory(directory: LocalDirectory, tmp_path: Path) -> None:
    assert open_directory(f"file://{directory.root}").root == directory.root  # type: ignore[union-attr]  # a local one
    with directory.scratch() as scratch:
        (Path(scratch) / "x").write_bytes(b"dump")
        directory.write("backups/1/database.dump", Path(scratch) / "x")
        assert [name for name, _ in directory.names()] == ["backups/1/database.dump"]  # nothing half-written
    assert (directory.root / "backups/1/database.dump").stat().st_mode & 0o077 == 0
    assert directory.read("backups/1/database.dump") == b"dump"
    directory.fetch("backups/1/database.dump", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"dump"
    directory.delete("backups/1/database.dump")
    assert not (directory.root / "backups/1").exists()
    directory.delete("backups/1/database.dump")
    for work in (lambda: directory.read("none"), lambda: directory.fetch("none", tmp_path / "none")):
        assert "none" in refused("file_missing", work)
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(NotFound):
        directory.write("../outside", tmp_path / "x")


def tool(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_the_tool_of_the_nearest_version_is_taken(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.POSTGRES_TOOLS = str(tmp_path / "17")
    made = tool(tmp_path / "17", "pg_dump", "echo 'pg_dump (PostgreSQL) 17.4 (Debian 17.4-1.pgdg120+2)'")
    assert find_tool("pg_dump", at_least=16) == made
    assert "of version 17" in refused("tools_missing", find_tool, "pg_dump", at_least=18)
    assert "there is none here" in refused("tools_missing", find_tool, "pg_restore", at_least=16)
    settings.POSTGRES_TOOLS = ""
    tool(tmp_path / "98", "pg_dump", "echo 'pg_dump (PostgreSQL) 98'")
    nearest = tool(tmp_path / "97", "pg_dump", "echo 'pg_dump (PostgreSQL) 97devel'")
    monkeypatch.setenv("PATH", f"{tmp_path / '98'}:{tmp_path / '97'}:/usr/bin:/bin")
    assert find_tool("pg_dump", at_least=90) == nearest


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("echo one >&2; echo 'pg_dump: error: no table' >&2; exit 1", "tool_failed", "no table"),
        ("exit 3", "tool_failed", "ended without a message"),
        ("echo 'could not write: No space left on device' >&2; exit 1", "no_space", "the disk is full"),
    ],
)
def test_a_tool_that_fails_is_told_in_its_words(tmp_path: Path, script: str, kind: str, words: str) -> None:
    with pytest.raises(Refusal) as refusal:
        run_tool(tool(tmp_path, "pg_dump", script), "--list", what="Reading the dump")
    assert refusal.value.code == kind
    assert words in refusal.value.detail
    assert refusal.value.detail.startswith("Reading the dump did not work")
    assert isinstance(refusal.value, NoSpace) == (kind == "no_space")
