"""A sheet with clinical records: read, understood by its mapping, and pseudonymised at the site."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from annotation.intake.clinical.mapping import mapping_of, own_names, read_mapping
from annotation.intake.clinical.people import Fault, Person, read_people
from annotation.intake.clinical.sheet import Sheet, read_sheet
from annotation.intake.deidentify.cleaning import Cleaned
from annotation.intake.deidentify.vault import Vault
from annotation.intake.sending import command, sheet
from voxloop.kernel.errors import Refusal

PASSPHRASE = "onions and ducks"
MAPPING: dict[str, Any] = {
    "columns": {"Pat-Nr": "pseudonym", "Alter": "age", "w/m": "sex", "PCR am": "test_date", "PCR": "result"},
    "values": {"sex": {"w": "female", "m": "male"}, "result": {"pos": "positive", "neg": "negative"}},
    "fixed": {"pathogen": "sars_cov_2"},
    "dates": "DD.MM.YYYY",
}
HEAD = "Pat-Nr;Alter;w/m;PCR am;PCR;Bemerkung"


def sheet_of(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "sheet.csv"
    path.write_text("\n".join([head, *lines]) + "\n", "utf-8")
    return path


def understood(folder: Path, *lines: str, **changes: Any) -> tuple[dict[str, Person], list[Fault]]:
    return read_people(read_sheet(sheet_of(folder, *lines)), mapping_of(MAPPING | changes))


def test_rows_of_one_person_are_one_record_with_each_test(tmp_path: Path) -> None:
    people, faults = understood(
        tmp_path, "A1;44;W;01.02.2020;POS;a name", "A1;44;w;3.2.2020;neg;", ";;;;;", "B2;95;m;;;"
    )
    assert not faults
    assert people["A1"].values == {"age": 44, "sex": "female"}
    assert people["A1"].tests == {
        ("sars_cov_2", date(2020, 2, 1), "positive"),
        ("sars_cov_2", date(2020, 2, 3), "negative"),
    }
    assert (people["B2"].values["age"], people["B2"].tests, people["B2"].lines) == (90, set(), [5])


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        (";44;w;;;", "Pat-Nr", "no_pseudonym"),
        ("A1;44.5;w;;;", "Alter", "bad_age"),
        ("A1;131;w;;;", "Alter", "bad_age"),
        ("A1;٤٤;w;;;", "Alter", "bad_age"),
        ("A1;44;f;;;", "w/m", "unknown_word"),
        ("A1;44;w;31.02.2020;pos;", "PCR am", "bad_date"),
        ("A1;44;w;2020-02-01;pos;", "PCR am", "bad_date"),
        ("A1;44;w;01.02.20;pos;", "PCR am", "bad_date"),
        ("A1;44;w;01.02.2020;;", "PCR", "incomplete_test"),
        ("A1;44;w;;pos;", "PCR am", "incomplete_test"),
        ("A1;44;w", "", "ragged_row"),
    ],
)
def test_a_bad_row_is_named_by_line_and_column_and_good_ones_are_kept(
    tmp_path: Path, line: str, column: str, code: str
) -> None:
    people, faults = understood(tmp_path, "B2;50;m;;;", line)
    assert list(people) == ["B2"]
    assert [(fault.line, fault.column, fault.code) for fault in faults] == [(3, column, code)]
    assert faults[0].sentence.endswith(".")


def test_a_person_with_a_bad_row_is_held_back_whole(tmp_path: Path) -> None:
    people, faults = understood(tmp_path, "A1;44;w;01.02.2020;pos;", "A1;44;w;02.02.2020;maybe;", "A1;45;w;;;")
    assert not people
    assert [(fault.line, fault.code) for fault in faults] == [
        (2, "held_back"),
        (3, "unknown_word"),
        (4, "contradiction"),
    ]


def test_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    def code(content: bytes, name: str = "sheet.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(Refusal) as refused:
            read_sheet(path)
        return refused.value.code

    assert code(b"PK", "sheet.xlsx") == "unknown_file"
    assert code("Größe;a\n1;2".encode("latin-1")) == "bad_encoding"
    assert code(b"a;b\n\0;2") == "bad_encoding"
    assert code(b"") == code(b"\n1;2") == code(b"a;b\n\n;\n") == "empty_sheet"
    assert code(b"a;;c\n1;2;3") == code(b"a;b;a\n1;2;3") == code(b'a;b\n"' + b"x" * 200_000) == "bad_columns"
    assert code(b"a" + b";a" * 300) == code(b"a;b\n" + b"1;2\n" * 20_001) == "sheet_too_large"


def test_commas_tabs_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    for text in ("pseudonym,age\nA1,44\n", "pseudonym\tage\r\nA1\t44\r\n", '\ufeffpseudonym;age\n"A1";"44"\n'):
        path.write_text(text, "utf-8", newline="")
        found = read_sheet(path)
        assert (found.columns, found.rows[0].cells) == (["pseudonym", "age"], {"pseudonym": "A1", "age": "44"})


def test_names_of_columns_are_not_guessed() -> None:
    assert own_names(["Pseudonym", "Test date", "Age (years)", "geschlecht"]) == {
        "Pseudonym": "pseudonym",
        "Test date": "test_date",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": {"Alter": "age"}},
        {"columns": {"a": "pseudonym", "b": "pseudonym"}},
        {"columns": {"a": "pseudonym", "b": "birth_date"}},
        {"columns": {"a": "pseudonym", "b": "test_date"}, "fixed": {}},
        {"values": {"sex": {"w": "woman"}}},
        {"values": {"age": {"old": "90"}}},
        {"fixed": {"age": "44"}},
        {"fixed": {"pathogen": "sars_cov_2", "sex": "male"}},
        {"dates": "YY"},
        {"unknown": 1},
        {"columns": []},
    ],
)
def test_a_mapping_that_means_nothing_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps(MAPPING | changes))
    with pytest.raises(Refusal) as refused:
        read_mapping(path)
    assert refused.value.code == "bad_mapping"
    assert refused.value.detail.endswith((".", ".json"))


def test_a_mapping_of_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="which the sheet does not have"):
        read_people(Sheet(["pseudonym"], []), mapping_of(MAPPING))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vault that sent images of two people to one campaign, and a mapping."""
    monkeypatch.setenv(command.PASSPHRASE, PASSPHRASE)
    vault = Vault.open(tmp_path / "vault" / "vault.json", PASSPHRASE)
    for number in ("00471", "A1"):
        person = vault.keys("chest-ct").person("patient", number)
        patient = {"patient_id": number, "name": "", "birth_date": ""}
        vault.note("chest-ct", Cleaned(b"", person, patient, "1.2", "1.2.3", "2.25.1", "2.25.2", "2.25.3"))
    vault.save()
    (tmp_path / "mapping.json").write_text(json.dumps(MAPPING))
    return tmp_path


def pseudonymise(site: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    words = ["--mapping", str(site / "mapping.json"), "--vault", str(site / "vault"), "--out", str(site / "out.csv")]
    code = sheet.main([str(site / "sheet.csv"), *words, "--campaign", "chest-ct", *more])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_nothing_of_the_patient_leaves_and_days_move_as_those_of_the_images(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet_of(
        site,
        "00471;97;w;10.03.2020;pos;Jane Doe, room 7",
        "00471;97;w;17.03.2020;neg;",
        "471;50;m;;;",
        "A1;18;m;;;=1+1",
    )
    code, told = pseudonymise(site, capsys, "--json")
    assert (code, json.loads(told)["people"]) == (0, 2)
    assert [(one["line"], one["column"], one["code"]) for one in json.loads(told)["faults"]] == [
        (4, "Pat-Nr", "not_in_vault")
    ]
    text = (site / "out.csv").read_text()
    assert not any(word in text for word in ("471", "Jane", "2020-03-10", "97", "1+1"))
    rows = list(csv.DictReader(text.splitlines()))
    person = Vault.open(site / "vault" / "vault.json", PASSPHRASE).keys("chest-ct").person("patient", "00471")
    assert [(row["pseudonym"], row["age"], row["sex"], row["result"]) for row in rows[:2]] == [
        (person.code, "90", "female", "positive"),
        (person.code, "90", "female", "negative"),
    ]
    days = [date.fromisoformat(row["test_date"]) for row in rows[:2]]
    assert days == [person.move(date(2020, 3, 10)), days[0] + timedelta(days=7)]
    assert (rows[2]["age"], rows[2]["test_date"]) == ("18", "")
    # What was written needs no mapping at the other end.
    found = read_sheet(site / "out.csv")
    people, faults = read_people(found, mapping_of({"columns": own_names(found.columns)}))
    assert (len(people), faults) == (2, [])


def test_what_stops_the_command(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no_such_file" in pseudonymise(site, capsys, "--json")[1]
    sheet_of(site, "B9;18;m;;;")
    assert pseudonymise(site, capsys)[0] == 1
    code, told = pseudonymise(site, capsys, "--json")
    assert (code, "file_exists" in told) == (2, True)
    (site / "out.csv").unlink()
    assert "not_in_vault" in pseudonymise(site, capsys, "--json", "--campaign", "other")[1]
    assert "no_vault" in pseudonymise(site, capsys, "--json", "--vault", str(site / "nowhere"))[1]
