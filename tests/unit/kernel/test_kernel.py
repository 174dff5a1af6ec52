"""The ground floor: which documents can be stored, ids, proofs of work, room on disks, literals in statements."""

import json
import os
import shutil
import time
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxloop.kernel import clock, pulse
from voxloop.kernel.documents import DEEPEST, LARGEST, find_fault, is_number, is_storable
from voxloop.kernel.errors import Damaged, Invalid, Refusal, TooMany
from voxloop.kernel.facts import outer_name, plain
from voxloop.kernel.ids import new_id
from voxloop.kernel.reasons import kept_reason
from voxloop.kernel.room import KEPT_BYTES, LAST_BYTES, LOW_BYTES, MB, Room, rooms
from voxloop.kernel.statements import _literal, statement_of

PLAIN = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
DOCUMENTS = st.recursive(PLAIN | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=10)


@given(DOCUMENTS)
def test_what_a_browser_can_say_can_be_stored(document: Any) -> None:
    assert find_fault(document) is None
    assert find_fault(json.loads(json.dumps(document))) is None


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("a\x00b", "NUL"),
        ({"a\x00": 1}, "NUL"),
        ("\ud800", "surrogate"),
        ({"x": ["\udfff and more"]}, "surrogate"),
        (float("nan"), "double"),
        ([float("inf")], "double"),
        (10**400, "double"),
        ({"n": -(10**309)}, "double"),
    ],
)
def test_what_cannot_be_stored_is_said_in_one_sentence(document: Any, words: str) -> None:
    fault = find_fault({"deep": [document]})
    assert fault is not None
    assert words in fault
    assert fault.endswith(".")


def nested(levels: int) -> Any:
    document: Any = 1
    for _ in range(levels):
        document = [document]
    return document


def test_depth_is_limited_and_costs_no_stack() -> None:
    assert find_fault(nested(DEEPEST)) is None
    assert find_fault(nested(DEEPEST + 1)) == f"The body is nested deeper than {DEEPEST} levels."
    assert find_fault(nested(10_000)) is not None
    assert find_fault(nested(3), deepest=2) is not None
    assert find_fault({"a": {"b": 1}}, deepest=2) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, True),
        (-1.5, True),
        (LARGEST, True),
        (int(LARGEST), True),
        (int(LARGEST) * 2, False),
        (float("-inf"), False),
        (True, False),
        ("1", False),
        (None, False),
    ],
)
def test_what_is_a_number(value: object, expected: bool) -> None:
    assert is_number(value) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", True), ("plain", True), ("Größe 👩‍⚕️", True), ("a\x00", False), ("é\x00", False), ("\udc00", False)],
)
def test_which_text_a_column_holds(text: str, expected: bool) -> None:
    assert is_storable(text) is expected


def test_ids_are_version_7_unique_and_begin_with_the_time() -> None:
    before = time.time_ns() // 1_000_000
    ids = [new_id() for _ in range(200)]
    after = time.time_ns() // 1_000_000
    assert len(set(ids)) == 200
    for found in ids:
        assert (found.version, found.variant) == (7, "specified in RFC 4122")
        assert before <= found.int >> 80 <= after


def test_time_is_aware_and_utc() -> None:
    moment = clock.now()
    assert moment.utcoffset() is not None
    assert moment.utcoffset().total_seconds() == 0
    assert clock.today() in {moment.date(), clock.now().date()}


def test_a_refusal_says_its_own_words_or_those_of_its_kind() -> None:
    assert (Refusal().code, Refusal().detail) == ("invalid", "The request cannot be carried out.")
    told = Refusal("No.", code="why", scan="s1")
    assert (told.code, told.detail, told.extra, str(told)) == ("why", "No.", {"scan": "s1"}, "No.")
    assert Refusal.code == "invalid"
    assert TooMany(7).again_after_seconds == 7
    assert TooMany.again_after_seconds is None
    found = Damaged("It is gone.", thing="packs/ab", code="object_missing", is_missing=True, parts=[1])
    assert (found.thing, found.is_missing) == ("packs/ab", True)
    assert found.extra == {"object": "packs/ab", "parts": [1]}


def test_names_of_documents_are_no_keywords() -> None:
    assert [outer_name(name) for name in ("return_", "a_b", "x")] == ["return", "a_b", "x"]
    assert plain([{"a": (1, 2)}, None, "x"]) == [{"a": [1, 2]}, None, "x"]


def test_proof_of_work_is_a_file_that_is_touched(tmp_path: Path) -> None:
    path = pulse.pulse_path(tmp_path, "default@here")
    assert path == tmp_path / "run" / "default@here.pulse"
    assert pulse.proof_of(path) == 0
    pulse.give_proof(path)
    os.utime(path, ns=(1, 1))
    assert pulse.proof_of(path) == 1
    pulse.give_proof(path)
    assert pulse.proof_of(path) > 1


def test_a_proof_is_named_by_its_host_and_stays_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "ward3")
    assert pulse.pulse_path(tmp_path, "beat").name == "beat@ward3.pulse"
    assert pulse.pulse_path(tmp_path, "../../etc@x").parent == tmp_path / "run"


def test_a_proof_that_cannot_be_given_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no folder")
    pulse.give_proof(tmp_path / "run" / "x.pulse")
    assert pulse.proof_of(tmp_path / "run" / "x.pulse") == 0


@pytest.mark.parametrize(
    ("age_seconds", "code", "words"),
    [(0, 0, ""), (pulse.DEAD_AFTER_SECONDS + 60, 1, "gave no proof of work for"), (None, 1, "gave no proof of work.")],
)
def test_the_health_check_of_a_container(
    age_seconds: Any, code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("VOXLOOP_STATE", str(tmp_path))
    path = pulse.pulse_path(tmp_path, "default@h")
    if age_seconds is not None:
        pulse.give_proof(path)
        os.utime(path, (time.time() - age_seconds,) * 2)
    assert pulse.main(["default@h"]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--help"]])
def test_the_health_check_takes_one_name(arguments: list[str], capsys: Any) -> None:
    assert pulse.main(arguments) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (LOW_BYTES, (False, False, False)),
        (LOW_BYTES - 1, (True, False, False)),
        (KEPT_BYTES, (True, False, False)),
        (KEPT_BYTES - 1, (True, True, False)),
        (LAST_BYTES, (True, True, False)),
        (LAST_BYTES - 1, (True, True, True)),
    ],
)
def test_what_less_and_less_room_means(free: int, expected: Any) -> None:
    room = Room("state", free, 2 * LOW_BYTES)
    assert (room.is_low, room.is_kept, room.is_gone) == expected
    assert room.free_mb == free // MB
    assert room.total_mb == 2 * LOW_BYTES // MB


Usage = namedtuple("Usage", "total used free")


def test_folders_of_one_disk_are_one_room_and_the_fullest_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disks = {"state": 1, "objects": 1, "releases": 2}
    for name in disks:
        (tmp_path / name).mkdir()
    usual = Path.stat

    def stat(path: Path, **options: Any) -> Any:
        device = disks.get(path.name)
        return SimpleNamespace(st_dev=device, st_mode=0o40755) if device else usual(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: Usage(100 * MB, 0, 5 * MB if path.name == "releases" else 9 * MB)
    )
    found = rooms([(name, tmp_path / name) for name in disks])
    assert [(room.name, room.free_mb, room.total_mb) for room in found] == [
        ("releases", 5, 100),
        ("state, objects", 9, 100),
    ]


def test_a_folder_that_is_not_there_yet_lies_on_the_disk_of_its_parent(tmp_path: Path) -> None:
    [found] = rooms([("exports", tmp_path / "not" / "made" / "yet")])
    assert found.total_bytes == shutil.disk_usage(tmp_path).total


def test_a_disk_that_cannot_be_asked_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise OSError("stale handle")

    monkeypatch.setattr(shutil, "disk_usage", refuse)
    assert rooms([("state", tmp_path)]) == []


@pytest.mark.parametrize(("value", "literal"), [("open", "'open'"), ("it's", "'it''s'"), ("50%", "'50%%'"), ("", "''")])
def test_text_in_a_statement_is_quoted(value: str, literal: str) -> None:
    assert _literal(value) == literal


@pytest.mark.parametrize("value", [1, None, 1.5, ["a"], b"x"])
def test_only_text_becomes_part_of_a_statement(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be written"):
        _literal(value)


def test_stand_ins_become_placeholders() -> None:
    query = SimpleNamespace(sql_with_params=lambda: ("SELECT 1 WHERE a = %s AND b = %s AND c = %s", (7, "it's", 7)))
    rows: Any = SimpleNamespace(query=query)
    assert statement_of(rows, {7: "scan"}) == "SELECT 1 WHERE a = %(scan)s AND b = 'it''s' AND c = %(scan)s"


def test_a_reason_is_kept_whole_or_refused() -> None:
    assert kept_reason("  " + "x" * 500 + " ") == "x" * 500
    with pytest.raises(Invalid) as refused:
        kept_reason("x" * 501)
    assert (refused.value.code, "501 characters" in str(refused.value)) == ("reason_too_long", True)
