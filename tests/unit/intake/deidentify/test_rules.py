"""The rule file agrees with DICOM's dictionary and with the table of the documents; a broken one is refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from annotation.intake.deidentify.rules import FILE, Rule, read_rules
from annotation.intake.dicom.read import HEADER_TAGS, IDENTITY_TAGS
from tests.unit.intake.deidentify.test_planted import ROOT, ROW
from voxloop.kernel.errors import Invalid

RULES = read_rules()
IN_WORDS = {
    "uid": "a keyed UID",
    "date": "moved by the subject's shift",
    "age": "capped at 90",
    "subject": "the subject's code",
    "empty": "emptied",
    "words": "listed words only",
    "contrast": "“CONTRAST” or removed",
    "term": "kept if listed",
}
META = {0x00020003: "a keyed UID"}  # the file meta is written anew


@pytest.mark.parametrize(("name", "keyword", "rule"), RULES.all(), ids=[keyword for _, keyword, _ in RULES.all()])
def test_tags_and_vrs_are_those_of_the_standard(name: str, keyword: str, rule: Rule) -> None:
    assert rule.number == tag_for_keyword(keyword)
    assert rule.vr in dictionary_VR(rule.number).split(" or ")
    if rule.do in ("number", "exact"):
        assert rule.least < rule.most or keyword == "SamplesPerPixel"


def test_the_table_of_the_profile_says_what_the_rules_do() -> None:
    rows = ROW.findall((ROOT / "docs/deidentification.md").read_text())
    assert len(rows) >= 650
    wrong = []
    for group, element, name, profile, ours in rows:
        found = RULES.find(tag := int(group + element, 16))
        expected = IN_WORDS[found[2].do] if found else META.get(tag, "removed")
        if expected != ours:
            wrong.append((name, profile, ours, expected))
    assert wrong == []


def test_what_the_profile_removes_and_we_keep_is_what_the_options_allow() -> None:
    rows = ROW.findall((ROOT / "docs/deidentification.md").read_text())
    kept = {name for _, _, name, _, ours in rows if ours in ("kept if listed", "capped at 90", "listed words only")}
    assert kept == {"Patient's Sex", "Patient's Age", "Study Description", "Series Description", "Protocol Name"}


def test_the_document_counts_the_attributes() -> None:
    text = (ROOT / "docs/deidentification.md").read_text()
    (count,) = re.findall(r"lists the (\d+) attributes", text)
    assert int(count) == len(RULES.all())


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"version": "one"},
        {"surplus": 1},
        {"groups": [{"name": "x", "why": "", "attributes": {"A": {"tag": "00100010", "vr": "PN", "do": "keep"}}}]},
        {
            "groups": [
                {
                    "name": "x",
                    "why": "",
                    "attributes": {"A": {"tag": "00100010", "vr": "PN", "do": "term", "terms": "x"}},
                }
            ]
        },
    ],
)
def test_a_broken_rule_file_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(json.loads(FILE.read_text()) | change))
    with pytest.raises(Invalid) as caught:
        read_rules(path)
    assert caught.value.code == "bad_rules"


def test_a_rule_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"nothing\.json cannot be used"):
        read_rules(tmp_path / "nothing.json")


def test_what_the_server_reads_may_leave() -> None:
    """A new attribute that the server judges scans by would otherwise be missing from every scan of a hospital."""
    listed = {keyword for _, keyword, _ in RULES.all()}
    read = {*HEADER_TAGS, "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"}
    assert read - {*IDENTITY_TAGS} - listed == set()
    assert {"PatientName", "PatientBirthDate"} == {*IDENTITY_TAGS} & listed
