"""What stays at the site is worth nothing without the passphrase."""

import json
from pathlib import Path

import pytest

from annotation.intake.deidentify.cleaning import Cleaned, deidentify
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import read_rules
from annotation.intake.deidentify.vault import Vault
from tests.factories.vendors import VENDORS, encode, make_header, stored_pixels
from voxloop.kernel.errors import Invalid

PASSPHRASE = "correct horse battery"


def clean(vault: Vault, campaign: str) -> Cleaned:
    data = encode(make_header(VENDORS[0], patient="SMITH0815"), VENDORS[0], stored_pixels(VENDORS[0]))
    return deidentify(data, keys=vault.keys(campaign), rules=read_rules(), report=Report())


def test_key_and_table_come_back_with_the_passphrase_only(tmp_path: Path) -> None:
    path = tmp_path / "site" / "vault.json"
    vault = Vault.open(path, PASSPHRASE)
    cleaned = clean(vault, "chest")
    vault.note("chest", cleaned)
    vault.save()
    raw = path.read_bytes()
    assert not [word for word in (b"SMITH", b"chest", vault.keys("chest").secret, b"1.2.3.4.2") if word in raw]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["vault.json"]
    again = Vault.open(path, PASSPHRASE)
    assert again.keys("chest") == vault.keys("chest")
    (found,) = again.subjects("chest").values()
    assert (found["patient_id"], found["name"]) == ("SMITH0815", "Nobody^Known")
    assert found["series"] == {cleaned.series_code: {"study_uid": "1.2.3.4.2", "series_uid": "1.2.3.4.3"}}
    assert again.campaigns() == ["chest"]
    assert clean(again, "chest").data == cleaned.data
    with pytest.raises(Invalid) as caught:
        Vault.open(path, PASSPHRASE + "!")
    assert caught.value.code == "wrong_passphrase"


def test_each_campaign_has_its_own_key(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path / "vault.json", PASSPHRASE)
    first, second = clean(vault, "one"), clean(vault, "two")
    assert first.person.code != second.person.code
    assert first.study_code != second.study_code
    assert "secret" not in repr(vault.keys("one"))


def test_a_changed_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vault.json"
    vault = Vault.open(path, PASSPHRASE)
    vault.save()
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"sealed": document["sealed"][::-1].lstrip("=") + "=="}))
    with pytest.raises(Invalid) as caught:
        Vault.open(path, PASSPHRASE)
    assert caught.value.code in ("wrong_passphrase", "bad_vault")
    path.write_text("{}")
    with pytest.raises(Invalid) as caught:
        Vault.open(path, PASSPHRASE)
    assert caught.value.code == "bad_vault"


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        Vault.open(tmp_path / "vault.json", "short")
    assert caught.value.code == "weak_passphrase"
