"""The part of Markdown that guidelines are written in: headings, lists, paragraphs, bold, italic, code, links.

What is written is escaped first, so that no HTML of a coordinator reaches a page; links lead to http and https only."""

import re
from collections.abc import Iterator

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
ITEM = re.compile(r"\s*(?:[-*+]|(\d{1,3})[.)])\s+(.*)")
CODE_OR_LINK = re.compile(r"`([^`]+)`|\[([^\]]+)\]\((https?://[^\s()]+)\)")
EMPHASES = (
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])"), r"<em>\1</em>"),
    (re.compile(r"(?<!\w)_(?=\S)([^_]+?)(?<=\S)_(?!\w)"), r"<em>\1</em>"),
)
TOP = 3  # the page's own headings come first


def render(text: str) -> SafeString:
    """Guidelines as HTML."""
    return mark_safe("".join(_blocks(text.replace("\r\n", "\n").split("\n"))))  # noqa: S308 - escaped in `_inline`


def _blocks(lines: list[str]) -> Iterator[str]:
    paragraph: list[str] = []
    items: list[str] = []
    kind = ""

    def close() -> Iterator[str]:
        if paragraph:
            yield f"<p>{_inline(' '.join(paragraph))}</p>"
            paragraph.clear()
        if items:
            yield f"<{kind}>{''.join(f'<li>{_inline(item)}</li>' for item in items)}</{kind}>"
            items.clear()

    for line in lines:
        heading, item = HEADING.match(line), ITEM.match(line)
        if heading:
            yield from close()
            level = min(TOP - 1 + len(heading[1]), 6)
            yield f"<h{level}>{_inline(heading[2])}</h{level}>"
        elif item:
            wanted = "ol" if item[1] else "ul"
            if paragraph or wanted != kind:
                yield from close()
            kind = wanted
            items.append(item[2])
        elif not line.strip():
            yield from close()
        elif items and line[:1] in " \t":
            items[-1] += f" {line.strip()}"  # the item goes on
        else:
            if items:
                yield from close()
            paragraph.append(line.strip())
    yield from close()


def _inline(text: str) -> str:
    escaped: str = escape(text)
    shown, at = "", 0
    for found in CODE_OR_LINK.finditer(escaped):
        shown += _emphasise(escaped[at : found.start()])
        code, words, address = found.groups()
        shown += f"<code>{code}</code>" if code else f'<a href="{address}" rel="noreferrer">{_emphasise(words)}</a>'
        at = found.end()
    return shown + _emphasise(escaped[at:])


def _emphasise(shown: str) -> str:
    for pattern, replacement in EMPHASES:
        shown = pattern.sub(replacement, shown)
    return shown
