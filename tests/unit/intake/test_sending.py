"""`send` without a server: sources, dry runs, folders, refusals; and a server that answers oddly."""

import csv
import fcntl
import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydicom import config, dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from annotation.intake.deidentify.vault import Vault
from annotation.intake.limits import Limits
from annotation.intake.sending import command
from annotation.intake.sending.client import Server, ServerAway
from annotation.intake.sending.journal import Entry, Journal
from annotation.intake.sending.sources import FILE_ID, open_source
from tests.unit.intake.series import change, make_series
from voxloop.kernel.errors import Refusal

PASSPHRASE = "onions and ducks"


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(command.PASSPHRASE, PASSPHRASE)
    monkeypatch.delenv(command.TOKEN, raising=False)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = command.main(arguments)
    told = capsys.readouterr()
    return code, told.out, told.err


def told_by(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = run(capsys, *arguments, "--json")
    return code, json.loads(out)


def make_medium(folder: Path, first: tuple[str, ...] = ()) -> Path:
    """A DICOMDIR with the files of a series; `first` instead of the first file's name."""
    records = []
    for path in make_series(folder / "IMAGES"):
        image = path.rename(path.with_name(f"IM{path.stem}"))
        record = Dataset()
        record.PatientName, record.DirectoryRecordType = "Smith^John", "IMAGE"
        record.add(DataElement(FILE_ID, "CS", list(first) or ["IMAGES", image.name], validation_mode=config.IGNORE))
        records.append(record)
        first = ()
    directory = Dataset()
    directory.DirectoryRecordSequence = records
    directory.file_meta = FileMetaDataset()
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dcmwrite(folder / "DICOMDIR", directory, enforce_file_format=True)
    return folder / "DICOMDIR"


@pytest.mark.parametrize("kind", ["folder", "zip", "DICOMDIR"])
def test_a_dry_run_tells_and_changes_nothing(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in"
    if kind == "DICOMDIR":
        source = make_medium(source)
    else:
        make_series(source / "p")
        (source / "p" / "note.txt").write_text("not an image")
        if kind == "zip":
            source = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", source))
    vault = tmp_path / "vault"
    code, out, err = run(capsys, str(source), "--dry-run", "--vault", str(vault))
    assert (code, err) == (0, "")
    assert "8 files, would be sent." in out
    assert "patient" in out
    assert ("Files that are not DICOM: 1; damaged: 0." in out) is (kind != "DICOMDIR")
    assert not vault.exists()


def test_series_are_written_to_a_folder_and_identical_the_second_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_series(tmp_path / "in", subject="SMITH0815")
    arguments = (
        str(tmp_path / "in"),
        "--out",
        str(tmp_path / "out"),
        "--vault",
        str(tmp_path / "v"),
        "--campaign",
        "c",
    )
    packed = []
    for _ in range(2):
        code, told = told_by(capsys, *arguments)
        assert (code, told["series"][0]["delivery"]["state"]) == (0, "written")
        (path,) = (tmp_path / "out").iterdir()
        packed.append(path.read_bytes())
    assert packed[0] == packed[1]
    assert b"SMITH" not in packed[0]
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 8
        assert all(b"SMITH" not in archive.read(name) for name in archive.namelist())
    table = Vault.open(tmp_path / "v" / "vault.json", PASSPHRASE).subjects("c")
    assert [row["patient_id"] for row in table.values()] == ["SMITH0815"]
    assert told["attributes"]["files"] == 8


def test_the_table_leads_from_the_servers_scan_to_the_patient(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only with the vault and its passphrase."""
    vault = tmp_path / "v"
    code, _, err = run(capsys, "--table", "--vault", str(vault))
    assert (code, err) == (1, f"There is no vault in {vault}; name its folder by --vault.\n"), "no_vault"
    images = make_series(tmp_path / "in", subject="SMITH0815")
    series_uid = str(dcmread(images[0]).SeriesInstanceUID)
    run(capsys, str(tmp_path / "in"), "--out", str(tmp_path / "o"), "--vault", str(vault), "--campaign", "c")
    series_code = Vault.open(vault / "vault.json", PASSPHRASE).keys("c").uid(series_uid)
    entry = Entry("contents", "a job", ["VX-A-0007"], is_done=True)
    Journal(vault / "sent.json", "https://x.example", "c").note(series_code, entry)
    code, out, _ = run(capsys, "--table", "--vault", str(vault))
    (row,) = csv.DictReader(out.splitlines())
    assert code == 0
    assert (row["scan"], row["patient_id"], row["series_uid"]) == ("VX-A-0007", "SMITH0815", series_uid)
    assert row["code"].startswith("P-")
    assert -3650 <= int(row["shift_days"]) <= -1


def test_what_is_refused_is_named_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page in a series is set aside; a series of pages is refused; the exit code is that of the rest."""
    good = make_series(tmp_path / "in" / "good")
    pages = make_series(tmp_path / "in" / "Smith_John", subject="P-2")

    def burn(number: int, header: Any) -> None:
        header.BurnedInAnnotation = "YES"

    change(good[:1], burn)
    change(pages, burn)
    code, out, _ = run(capsys, str(tmp_path / "in"), "--dry-run")
    assert code == 0
    assert "7 files, would be sent." in out
    assert "not sent: 1 file, first folder 2/0001.dcm (burned_in_annotation)." in out
    assert "folder 1/0001.dcm: refused (burned_in_annotation)." in out
    assert out.count("export it without annotations.") == 2
    assert "Smith" not in out
    shutil.rmtree(tmp_path / "in" / "good")
    assert run(capsys, str(tmp_path / "in"), "--dry-run")[0] == 1


def refusal_of(source: Path, limits: Limits | None = None) -> str:
    with pytest.raises(Refusal) as caught, open_source(source, limits or Limits()) as members:
        [member.read() for member in members]
    assert "; " in caught.value.detail or caught.value.code == "no_such_file"
    return caught.value.code


def test_sources_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert refusal_of(tmp_path / "nothing") == "no_such_file"
    assert refusal_of(tmp_path / "empty") == "no_files"
    make_series(tmp_path / "in")
    assert refusal_of(tmp_path / "in", Limits(most_files=5)) == "too_many_files"
    assert refusal_of(tmp_path / "in", Limits(most_file_bytes=100)) == "file_too_large"
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "in"))
    data = bytearray(packed.read_bytes())
    data[200:600] = bytes(400)
    packed.write_bytes(data)
    assert refusal_of(packed) == "archive_broken"
    directory = make_medium(tmp_path / "medium")
    next(path for path in directory.parent.rglob("*") if path.is_file() and path != directory).unlink()
    assert refusal_of(directory) == "files_missing"
    directory.write_bytes(b"nothing")
    assert refusal_of(directory) == "directory_broken"


def test_a_dicomdir_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    make_series(tmp_path / "loose")
    directory = make_medium(tmp_path / "medium", ("..", "loose", "0001.dcm"))
    assert refusal_of(directory) == "files_missing"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--server", "ftp://x", "--token", "abc"], "bad_server"),
        (["--server", "http://hospital.example", "--token", "abc"], "bad_server"),
        (["--server", "https://hospital.example", "--token", "a b"], "bad_token"),
    ],
)
def test_addresses_and_tokens_that_are_not_used(
    arguments: list[str], code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code, told = told_by(capsys, str(tmp_path), *arguments, "--vault", str(tmp_path / "v"))
    assert (exit_code, told["code"]) == (2 if code == "bad_server" else 1, code)


def test_without_a_destination(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, str(tmp_path))[0] == 2
    assert run(capsys, "--dry-run")[0] == 2
    assert run(capsys, str(tmp_path), "--out", str(tmp_path))[0] == 2


def test_one_command_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_series(tmp_path / "in")
    arguments = (str(tmp_path / "in"), "--out", str(tmp_path / "o"), "--vault", str(tmp_path), "--campaign", "c")
    with (tmp_path / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert told_by(capsys, *arguments)[1]["code"] == "vault_busy"
    assert told_by(capsys, *arguments)[0] == 0


def test_the_passphrase_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(command.PASSPHRASE)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(Refusal) as caught:
        command.ask_passphrase(is_new=False)
    assert caught.value.code == "no_passphrase"
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    typed = iter(["one passphrase", "another passphrase", "the same one", "the same one"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    with pytest.raises(Refusal) as caught:
        command.ask_passphrase(is_new=True)
    assert caught.value.code == "passphrases_differ"
    assert command.ask_passphrase(is_new=True) == "the same one"


def test_a_damaged_journal_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "sent.json").write_text("{")
    with pytest.raises(Refusal) as caught:
        Journal(tmp_path / "sent.json", "https://x", "c")
    assert caught.value.code == "bad_journal"


@contextmanager
def server_that(answers: Callable[[str], tuple[int, str]]) -> Iterator[tuple[Server, list[str]]]:
    """A web server whose answers the test says; the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, body = answers(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield Server(f"http://127.0.0.1:{http.server_address[1]}", "abc", pauses_s=(0.01, 0.01)), asked
        http.shutdown()


def test_a_server_that_is_away_is_asked_again() -> None:
    with server_that(lambda path: (503, "")) as (server, asked):
        with pytest.raises(ServerAway) as caught:
            server.only("sites", "code")
        assert len(asked) == 3
    assert caught.value.code == "server_away"
    with pytest.raises(ServerAway):
        server.only("sites", "code")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, "<html>a proxy</html>", "bad_server"),
        (404, "not here", "bad_server"),
        (401, '{"code": "x", "detail": "No."}', "bad_token"),
        (403, '{"code": "forbidden", "detail": "No."}', "forbidden"),
        (200, '{"results": []}', "not_chosen"),
        (200, '{"results": [{"code": "a"}, {"code": "b"}]}', "not_chosen"),
    ],
)
def test_answers_that_are_not_what_was_asked_for(status: int, body: str, code: str) -> None:
    with server_that(lambda path: (status, body)) as (server, _), pytest.raises(Refusal) as caught:
        server.only("sites", "code")
    assert caught.value.code == code


def test_the_only_site_needs_no_name() -> None:
    with server_that(lambda path: (200, '{"results": [{"code": "a"}]}')) as (server, asked):
        assert server.only("sites", "code") == "a"
    assert asked == ["/api/v1/sites/?page_size=50"]
