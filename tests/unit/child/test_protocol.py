"""Between a process and its child: progress as it grows, results that are none, and why a child ended."""

import errno
import json
import os
import signal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mlservice
import voxloop
from voxloop.child import (
    VERSION,
    ChildError,
    ChildProgress,
    ContractError,
    Document,
    from_json,
    read_json,
    require,
    to_json,
    write_json,
)
from voxloop.child.inside import ChildFolder, _words_for, run_inside
from voxloop.child.outside import MOST_AT_A_LOOK, _explain, _new_lines, _read_result, bare_environment, last_words
from voxloop.child.protocol import BOUNDS, END_WITH_STDIN, ERRORS, PROGRESS, REQUEST, RESULT


class Ask(Document, frozen=True):
    size: int
    name: str = ""

    def __post_init__(self) -> None:
        require(self.size > 0, "The size must be positive.")


class Told(Document, frozen=True):
    area: float


def line(step: int, **more: Any) -> bytes:
    return json.dumps({"contract": VERSION, "step": step, "total": 9, "sentence": f"Step {step}", **more}).encode()


def steps(found: list[ChildProgress]) -> list[int]:
    return [each.step for each in found]


def test_progress_is_read_line_by_line_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / PROGRESS
    assert _new_lines(path, 0) == ([], 0)
    path.write_bytes(line(1) + b"\n" + line(2)[:20])
    found, at = _new_lines(path, 0)
    assert steps(found) == [1]  # half a line waits
    path.write_bytes(line(1) + b"\n" + line(2) + b"\n" + line(3) + b"\n")
    found, at = _new_lines(path, at)
    assert steps(found) == [2, 3]
    assert _new_lines(path, at) == ([], at)


@pytest.mark.parametrize(
    "odd",
    [
        b"no JSON",
        b"[]",
        b"null",
        b'{"contract": 99, "step": 5, "total": 9, "sentence": "x"}',
        line(5, more=1),
        b'{"contract": 1, "step": "5", "total": 9, "sentence": "x"}',
        b"\xff\xfe",
        b"",
    ],
)
def test_a_line_that_is_no_progress_is_passed_over(odd: bytes, tmp_path: Path) -> None:
    (tmp_path / PROGRESS).write_bytes(line(1) + b"\n" + odd + b"\n" + line(2) + b"\n")
    found, at = _new_lines(tmp_path / PROGRESS, 0)
    assert steps(found) == [1, 2]
    assert at == (tmp_path / PROGRESS).stat().st_size


def test_a_line_without_end_fills_no_memory_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / PROGRESS).write_bytes(b"x" * (2 * MOST_AT_A_LOOK) + b"\n" + line(1) + b"\n")
    at, seen = 0, []
    for _ in range(4):
        found, at = _new_lines(tmp_path / PROGRESS, at)
        seen += steps(found)
    assert seen == [1]


def result(folder: Path, text: str, code: int = 0) -> Told:
    (folder / RESULT).write_text(text)
    return _read_result(Told, folder, code)


def test_a_result_is_read_by_its_class(tmp_path: Path) -> None:
    write_json(tmp_path / RESULT, Told(1.5))
    assert _read_result(Told, tmp_path, 0) == Told(1.5)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("{", "died", "cannot be read"),
        ("[]", "bad_request", "JSON object"),
        ('{"contract": 2, "area": 1.0}', "bad_version", "this program speaks"),
        ('{"contract": 1}', "bad_request", "area"),
        ('{"contract": 1, "area": NaN}', "bad_request", "readable"),
        ('{"contract": 1, "error": {"code": "bad_scan", "sentence": "It is bent."}}', "bad_scan", "It is bent."),
    ],
)
def test_a_result_that_is_none_says_what_it_is(text: str, code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ChildError) as told:
        result(tmp_path, text)
    assert told.value.code == code
    assert words in told.value.sentence


@pytest.mark.parametrize(
    ("exit_code", "said", "code", "number"),
    [
        (1, "OSError: [Errno 28] No space left on device", "no_space", 0),
        (-signal.SIGKILL, "Disk quota exceeded", "no_space", 0),
        (-signal.SIGXCPU, "", "out_of_time", 0),
        (1, "MemoryError", "out_of_memory", 0),
        (-signal.SIGABRT, "Cannot allocate memory", "out_of_memory", 0),
        (-signal.SIGKILL, "", "killed", signal.SIGKILL),
        (-signal.SIGSEGV, "something", "killed", signal.SIGSEGV),
        (3, "something", "died", 0),
        (0, "", "died", 0),
    ],
)
def test_why_a_child_ended_without_a_result(exit_code: int, said: str, code: str, number: int, tmp_path: Path) -> None:
    (tmp_path / ERRORS).write_text(said)
    with pytest.raises(ChildError) as told:
        _read_result(Told, tmp_path, exit_code)
    assert (told.value.code, told.value.signal) == (code, number)
    assert told.value.sentence.endswith(".")
    assert _explain(exit_code, said).code == code


def test_the_last_words_of_a_child_are_few(tmp_path: Path) -> None:
    assert last_words(tmp_path) == ""
    (tmp_path / ERRORS).write_bytes(b"\xff" + b"x" * 5000 + b"the end")
    assert last_words(tmp_path).endswith("the end")
    assert len(last_words(tmp_path)) <= 2000


def test_a_child_inherits_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VOXLOOP_SECRET_KEY", "VOXLOOP_DATABASE", "AWS_SECRET_ACCESS_KEY", "HOME", "LD_PRELOAD", "PYTHONPATH"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    found = bare_environment([voxloop, mlservice], kept=["OMP_NUM_THREADS", "NOT_SET"], MODE="x")
    assert "secret" not in found.values()
    assert (found["LANG"], found["OMP_NUM_THREADS"], found["MODE"], found[END_WITH_STDIN]) == ("C.UTF-8", "2", "x", "1")
    assert "NOT_SET" not in found
    assert len(found["PYTHONPATH"].split(os.pathsep)) == 2


def test_packages_of_one_folder_are_one_path() -> None:
    package: Any = ModuleType("other")
    package.__path__ = list(mlservice.__path__)
    assert os.pathsep not in bare_environment([mlservice, package])["PYTHONPATH"]


def asked(folder: Path, text: str = '{"contract": 1, "size": 2}') -> list[str]:
    (folder / REQUEST).write_text(text)
    return [str(folder)]


def square(request: Ask, job: ChildFolder) -> Told:
    job.report(1, 1, "Squared")
    return Told(float(request.size**2))


def failure(folder: Path) -> Any:
    return json.loads((folder / RESULT).read_text())["error"]


def test_work_that_is_done_leaves_its_result(tmp_path: Path) -> None:
    assert run_inside(Ask, square, asked(tmp_path)) == 0
    assert read_json(Told, tmp_path / RESULT) == Told(4.0)
    assert steps(_new_lines(tmp_path / PROGRESS, 0)[0]) == [1]


def test_progress_of_earlier_work_is_taken_away(tmp_path: Path) -> None:
    for _ in range(2):
        assert run_inside(Ask, square, asked(tmp_path)) == 0
    assert len((tmp_path / PROGRESS).read_text().splitlines()) == 1


@pytest.mark.parametrize("text", ["{", '{"contract": 1, "size": 0}', '{"contract": 1, "size": 1, "more": 1}'])
def test_a_request_that_is_none_is_a_bad_argument(text: str, tmp_path: Path) -> None:
    assert run_inside(Ask, square, asked(tmp_path, text)) == 2
    assert failure(tmp_path)["code"] == "bad_request"


def test_bounds_that_are_none_stop_the_work(tmp_path: Path) -> None:
    (tmp_path / BOUNDS).write_text('{"contract": 1, "memory_bytes": "much"}')
    assert run_inside(Ask, square, asked(tmp_path)) == 2
    assert failure(tmp_path)["code"] == "bad_request"


@pytest.mark.parametrize(
    ("words", "code"), [([], 2), (["a", "b"], 2), (["/no/such/folder"], 2), (["--help"], 0), (["-h"], 0)]
)
def test_a_child_is_given_one_folder(words: list[str], code: int, capsys: Any) -> None:
    assert run_inside(Ask, square, words) == code
    assert "FOLDER holds request.json (Ask)" in capsys.readouterr().err


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ContractError("bad_scan", "It is bent."), "bad_scan", "It is bent."),
        (MemoryError(), "out_of_memory", "too little memory"),
        (OutOfMemoryError(), "out_of_memory", "too little memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out_of_memory", "too little memory"),
        (RuntimeError("std::bad_alloc"), "out_of_memory", "too little memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory", "too little memory"),
        (OSError(errno.ENOSPC, "full"), "no_space", "The disk is full."),
        (OSError(errno.EDQUOT, "quota"), "no_space", "The disk is full."),
        (FileNotFoundError(errno.ENOENT, "No such file", "/secret/path"), "file_error", "No such file"),
        (OSError(), "file_error", "OSError"),
        (ValueError("secret"), "internal", "ValueError"),
    ],
)
def test_work_that_fails_says_why_and_no_secret(error: Exception, code: str, words: str, tmp_path: Path) -> None:
    def fail(request: Ask, job: ChildFolder) -> Told:
        raise error

    assert run_inside(Ask, fail, asked(tmp_path)) == 1
    assert failure(tmp_path)["code"] == code
    assert words in failure(tmp_path)["sentence"]
    assert "secret" not in failure(tmp_path)["sentence"]
    assert _words_for(error)[0] == code


def test_a_fresh_folder_is_empty(tmp_path: Path) -> None:
    job = ChildFolder(tmp_path)
    (job.fresh("model") / "old").write_text("x")
    assert list(job.fresh("model").iterdir()) == []
    assert job.path("/absolute") == Path("/absolute")
    assert job.path("model") == tmp_path / "model"


def test_a_document_of_another_contract_is_named() -> None:
    assert to_json(Told(1.0)) == {"contract": VERSION, "area": 1.0}
    for values, code in (({}, "bad_version"), ({"contract": 0}, "bad_version"), (None, "bad_request")):
        with pytest.raises(ContractError) as refusal:
            from_json(Told, values)
        assert refusal.value.code == code


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=rf"no readable x\.json in {tmp_path.name}"):
        read_json(Told, tmp_path / "x.json")


def test_writing_leaves_the_old_document_where_the_new_one_is_none(tmp_path: Path) -> None:
    write_json(tmp_path / "d.json", Told(1.0))
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "d.json", Told(float("nan")))
    assert read_json(Told, tmp_path / "d.json") == Told(1.0)


def test_the_words_of_an_error_are_its_own() -> None:
    told = ChildError("killed", "It was killed.", signal=9)
    assert (str(told), told.code, told.signal) == ("It was killed.", "killed", 9)
