"""House rules of the templates: nothing inline that the CSP forbids, every icon drawn and used."""

import re
from pathlib import Path

import pytest

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
