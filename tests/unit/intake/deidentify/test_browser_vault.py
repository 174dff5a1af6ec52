"""The upload page and `send` open each other's vault, refuse alike, and note the same rows."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from annotation.intake.deidentify.cleaning import deidentify
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import read_rules
from annotation.intake.deidentify.vault import Vault
from tests.factories.vendors import VENDORS, encode, make_header, stored_pixels
from voxloop.kernel.errors import Invalid

ROOT = Path(__file__).parents[4]
PASSPHRASE, CAMPAIGN = "räumliche Auflösung", "chest-ct"
DATA = encode(make_header(VENDORS[0]), VENDORS[0], stored_pixels(VENDORS[0]))
RUN = """
import { runnerImport } from "vite";
const { module } = await runnerImport("./tests/deidentify/program.ts");
await module.runVault(...process.argv.slice(1));
"""


def browser(folder: Path, passphrase: str) -> dict[str, str]:
    """What the page's code says of the vault in a folder."""
    node = shutil.which("node")
    assert node, "Node is missing; CONTRIBUTING.md says how to get it"
    command = [node, "--input-type=module", "-e", RUN, "--", str(folder), passphrase, CAMPAIGN]
    subprocess.run(command, cwd=ROOT / "frontend", check=True)
    said: dict[str, str] = json.loads((folder / "said.json").read_text())
    return said


def noted(path: Path, passphrase: str) -> Vault:
    """A vault with one file noted, as `send` does it."""
    vault = Vault.open(path, passphrase)
    vault.note(CAMPAIGN, deidentify(DATA, keys=vault.keys(CAMPAIGN), rules=read_rules(), report=Report()))
    return vault


def test_a_vault_of_the_site_is_opened_and_written_by_the_page(tmp_path: Path) -> None:
    (tmp_path / "note.dcm").write_bytes(DATA)
    path = tmp_path / "vault.json"
    before = Vault.open(path, PASSPHRASE)
    keys = before.keys(CAMPAIGN)
    before.save()
    assert browser(tmp_path, PASSPHRASE)["code"] == ""
    after = Vault.open(tmp_path / "sealed.json", PASSPHRASE)
    assert after.keys(CAMPAIGN) == keys
    assert after.subjects(CAMPAIGN) == noted(path, PASSPHRASE).subjects(CAMPAIGN) != {}
    assert b"7712345" not in (tmp_path / "sealed.json").read_bytes()


def test_a_new_vault_of_the_page_is_opened_by_the_site(tmp_path: Path) -> None:
    (tmp_path / "note.dcm").write_bytes(DATA)
    assert browser(tmp_path, PASSPHRASE)["code"] == ""
    made = Vault.open(tmp_path / "sealed.json", PASSPHRASE)
    assert made.subjects(CAMPAIGN) == noted(tmp_path / "sealed.json", PASSPHRASE).subjects(CAMPAIGN) != {}


@pytest.mark.parametrize("case", ["weak_passphrase", "wrong_passphrase", "bad_vault"])
def test_refusals_have_the_same_words(tmp_path: Path, case: str) -> None:
    path, passphrase = tmp_path / "vault.json", PASSPHRASE
    if case == "weak_passphrase":
        passphrase = "short"
    elif case == "wrong_passphrase":
        Vault.open(path, PASSPHRASE).save()
        passphrase = "another one of these"
    else:
        path.write_text('{"format": "something"}')
    with pytest.raises(Invalid) as caught:
        Vault.open(path, passphrase)
    said = browser(tmp_path, passphrase)
    assert said == {"code": case, "sentence": caught.value.detail.replace("vault.json ", "")}
    assert not (tmp_path / "sealed.json").exists()
