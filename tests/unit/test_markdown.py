"""Guidelines are shown as they are meant, and no HTML of theirs reaches the page."""

import pytest

from annotation.pages.markdown import render


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Mark it.\nTo the edge.\n\nThen *look*.", "<p>Mark it. To the edge.</p><p>Then <em>look</em>.</p>"),
        ("# What\n## Which", "<h3>What</h3><h4>Which</h4>"),
        ("- one\n  goes on\n- **two**", "<ul><li>one goes on</li><li><strong>two</strong></li></ul>"),
        ("1. one\n2) two\n\nafter", "<ol><li>one</li><li>two</li></ol><p>after</p>"),
        ("text\n- item\ntext", "<p>text</p><ul><li>item</li></ul><p>text</p>"),
        ("- a\n1. b", "<ul><li>a</li></ul><ol><li>b</li></ol>"),
        ("`a_b` and x_y_z, 2 * 3 * 4", "<p><code>a_b</code> and x_y_z, 2 * 3 * 4</p>"),
        (
            "[CO-RADS](https://example.org/a?b=1&c=2)",
            '<p><a href="https://example.org/a?b=1&amp;c=2" rel="noreferrer">CO-RADS</a></p>',
        ),
        (
            "[*the* rule](https://example.org/_a_/*b*)",
            '<p><a href="https://example.org/_a_/*b*" rel="noreferrer"><em>the</em> rule</a></p>',
        ),
        ("`*a*` and *b*", "<p><code>*a*</code> and <em>b</em></p>"),
        ("", ""),
    ],
)
def test_what_is_written_is_shown(text: str, html: str) -> None:
    assert render(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '[x](https://a"onclick="alert(1))',
        "# <img src=x onerror=alert(1)>",
        "- `<b>`",
    ],
)
def test_no_html_of_a_writer_reaches_the_page(text: str) -> None:
    shown = render(text)
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<b>" not in shown
    assert 'href="javascript' not in shown
    assert '"onclick' not in shown
