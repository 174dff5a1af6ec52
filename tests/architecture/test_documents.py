"""Documents match the code: links resolve, settings are described, commands exist."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from voxloop.embedded.accounts import ACCOUNTS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OURS = {"demo", "test", "bench"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)", document.read_text())
    broken = [link for link in links if not link.startswith("http") and not (document.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_are_named_exist(document: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", document.read_text()))
    assert named - OURS - set(get_commands()) == set()


def test_every_setting_from_the_environment_is_described() -> None:
    sources = [ROOT / "platform/voxloop/project/environment.py", ROOT / "platform/voxloop/embedded/bootstrap.py"]
    read = {name for source in sources for name in re.findall(r"\"(VOXLOOP_[A-Z_]+)\"", source.read_text())}
    described = set(re.findall(r"`(VOXLOOP_[A-Z_]+)`", (ROOT / "docs/operating.md").read_text()))
    assert read - described == set()


def test_folders_of_the_map_exist() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert rows
    assert [path for path in rows if not (ROOT / path).exists()] == []


def test_log_ins_of_the_readme_exist() -> None:
    assert {"annotator1", "reviewer", "coordinator"} <= set(ACCOUNTS)


def test_decisions_are_numbered_one_after_the_other() -> None:
    numbers = sorted(path.name[:4] for path in (ROOT / "docs" / "adr").glob("0*.md"))
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
