"""Rules of templates: format, nothing inline that the CSP forbids, every icon exists and is used."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._structure.sources import is_breakable, long_breakable_lines, template_files

PAGES = Path(__file__).parents[2] / "annotation" / "pages"
TEMPLATES = sorted((PAGES / "templates").rglob("*.html"))
SPRITE = PAGES / "templates" / "frame" / "icons.html"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(PAGES / "templates").as_posix())
def test_nothing_is_inline_that_the_policy_forbids(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.findall(r"<script(?![^>]*(?:\bsrc=|type=\"application/json\"))", text), "an inline script"
    assert not re.findall(r"<[^>]*\son[a-z]+=", text), "an inline event handler"
    assert "javascript:" not in text
    assert "|safe" not in text, "text of people is escaped, always"
    assert "hx-on" not in text


def test_every_icon_is_in_the_sprite_and_every_one_there_is_used() -> None:
    drawn = set(re.findall(r'<symbol id="icon-([\w-]+)"', SPRITE.read_text("utf-8")))
    sources = [path for path in [*TEMPLATES, *PAGES.rglob("*.py")] if path != SPRITE]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    assert "autoescape off" not in text
    asked = set(re.findall(r'{% icon "([\w-]+)"', text)) | set(re.findall(r'symbol="([\w-]+)"', text))
    assert asked <= drawn, f"not in the sprite: {sorted(asked - drawn)}"
    quoted = set(re.findall(r'["\']([a-z][a-z0-9-]*)["\']', text))
    assert drawn <= quoted, f"in the sprite for nothing: {sorted(drawn - quoted)}"


def test_tags_of_django_are_formatted() -> None:
    djade = Path(sys.executable).with_name("djade")
    check = [str(djade), "--target-version", "5.2", "--check", *map(str, TEMPLATES)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lines_have_at_most_120_signs_where_they_can_be_broken() -> None:
    assert long_breakable_lines(template_files()) == []


def test_what_can_be_broken_is_told_from_what_cannot() -> None:
    assert is_breakable('<b class="x">one</b> <i>two</i>')
    assert is_breakable("{% if one %}two three{% endif %}")
    assert not is_breakable('  {% include "one.html" with two="three four" %}')
    assert not is_breakable('  class="one two">{{ three|default:"four five" }}</b>')
