"""Every stable code of a refusal is named in a test."""

import re

from benchmarks._structure.sources import PRODUCT, python_files

# Raised with `code=…`, or as the first argument of these.
RAISED = re.compile(r'code="([a-z_0-9]+)"|(?:ContractError|ChildError|FormatError|Interlock)\(\s*"([a-z_0-9]+)"')
# These need a broken restore, a second back-up at the same moment or a damaged disk: the drills of the journeys see
# some of them, by what happens. Take codes out, never add one.
UNNAMED = {
    "audit_broken",
    "backup_running",
    "database_not_empty",
    "keys_missing",
    "not_proven",
    "other_restore",
    "rows_differ",
    "server_older",
    "storage_not_empty",
    "wrong_passkey",
}


def codes_in(text: str) -> set[str]:
    return {first or second for first, second in RAISED.findall(text)}


def test_every_code_is_named_in_a_test() -> None:
    texts = python_files()
    raised = {code for name, text in texts.items() if name.startswith(PRODUCT) for code in codes_in(text)}
    tests = "\n".join(
        text for name, text in texts.items() if name.startswith("tests/") and "test_refusals.py" not in name
    )
    words = set(re.findall(r"\w+", tests))
    assert len(raised) > 190
    assert raised - words == UNNAMED


def test_the_check_sees_a_code_in_every_form() -> None:
    assert codes_in('raise Conflict("No.", code="taken")') == {"taken"}
    assert codes_in('raise FormatError(\n    "bad_pack", "No."\n)') == {"bad_pack"}
    assert codes_in('Interlock("empty_not_confirmed", "No.")') == {"empty_not_confirmed"}
    assert codes_in("code=other") == set()
