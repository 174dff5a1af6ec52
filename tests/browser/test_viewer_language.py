"""Every text of the viewer is translatable: in the pseudo-language all are in brackets."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.masks.answers import save_answers
from annotation.reviews.claims import claim_round
from annotation.reviews.comments import add_comment
from annotation.reviews.models import ReviewRound
from annotation.reviews.services import submit_assignment
from annotation.work.models import Assignment
from tests.factories.world import SHAPE, World, first_of, publish
from tests.journeys.viewer import Viewer

MIDDLE = (SHAPE[2] // 2, SHAPE[1] // 2, SHAPE[0] // 2)
# Units are the same in every language; texts of scan, schema and people are removed, too.
LEFT = r"""() => {
  const data = [];
  const gather = (value) => {
    if (typeof value === 'string') data.push(value);
    else if (value && typeof value === 'object') Object.values(value).forEach(gather);
  };
  const context = JSON.parse(document.getElementById('context').textContent);
  const { schema, scan, batch, overlays, comments, review, user } = context;
  gather([
    schema.layers.map((layer) => [layer.title, layer.segments.map((segment) => segment.name)]),
    schema.questions.map((question) => [question.text, question.options.map((option) => option.label)]),
    scan.code, scan.site, scan.description, batch.name, user, overlays.map((overlay) => overlay.title),
    comments.map((comment) => [comment.author, comment.text]), review && [review.author, review.reasons],
  ]);
  const same = [...data, 'Voxloop', 'mL', 'mm', 'cm', 'HU', 'LPS', 'ms', 'kB', 'MB']
    .map((word) => word.toLowerCase()).sort((a, b) => b.length - a.length);
  const left = (text) => {
    let rest = text.toLowerCase().replace(/\((?:(?:ctrl|alt|shift|enter|esc|delete|[^ ()])[ +]?)+\)$/u, ' '), before;
    do { before = rest; rest = rest.replace(/⟦[^⟦⟧]*⟧/gu, ' '); } while (rest !== before);
    for (const word of same) if (word.length > 1) rest = rest.replaceAll(word, ' ');
    return /\p{L}{2}/u.test(rest);
  };
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      if (!node.parentElement.closest('kbd, script, noscript, style') && left(node.data)) found.add(node.data.trim());
      continue;
    }
    for (const name of ['aria-label', 'title', 'placeholder', 'aria-valuetext', 'alt']) {
      const text = node.getAttribute(name);
      if (text && left(text)) found.add(`${name}: ${text}`);
    }
  }
  return [...found];
}"""


@pytest.fixture
def assignment(live_world: World) -> Assignment:
    return first_of(publish(live_world))


def left_out(page: Page) -> set[str]:
    return set(page.evaluate(LEFT))


def test_nothing_is_left_out(live_world: World, assignment: Assignment, new_page: Any) -> None:
    page = new_page("annotator")
    page.goto(f"/view/{assignment.pk}/?language=pseudo")
    viewer = Viewer(page).wait_ready()
    viewer.go_to(MIDDLE)
    viewer.stroke("g", MIDDLE)
    found = left_out(page)
    rail = page.locator("[data-testid^=tool-]")
    for n in range(rail.count()):
        rail.nth(n).click()
        found |= left_out(page)
    for tab in ("lesions", "questions", "comments", "history", "segments"):
        page.get_by_test_id(f"tab-{tab}").click()
        found |= left_out(page)
    for key in ("?", "/", "Control+Enter"):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog")).to_be_visible()
        found |= left_out(page)
        page.keyboard.press("Escape")
    for button in ("settings", "skip"):
        page.get_by_test_id(button).click()
        found |= left_out(page)
        page.keyboard.press("Escape")
    viewer.wait_saved()
    page.close()

    submitted = hand_in(live_world, assignment)
    claimed = claim_round(round_id=submitted.pk, actor=live_world["reviewer"])
    add_comment(round_id=submitted.pk, actor=live_world["annotator"], text="Unsure", ijk=MIDDLE)
    page = new_page("reviewer")
    page.goto(f"/view/{claimed.review_id}/?language=pseudo")
    Viewer(page).wait_ready()
    page.keyboard.press("d")
    page.keyboard.press("Shift+C")
    found |= left_out(page)
    page.keyboard.press("r")
    expect(page.get_by_test_id("notice")).to_be_visible()
    found |= left_out(page)
    page.keyboard.press("Alt+c")
    found |= left_out(page)
    assert not found, "\n".join(sorted(found))


def hand_in(world: World, assignment: Assignment) -> ReviewRound:
    save_answers(
        assignment_id=assignment.pk, values={"diagnosis": "covid19", "quality": "good"}, actor=world["annotator"]
    )
    return submit_assignment(assignment_id=assignment.pk, actor=world["annotator"], acknowledged=["mask_outside_lung"])
