"""A model that the gate leaves to a person, on its page: seen, promoted with a reason, rolled back."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.learning.models import ModelVersion
from tests.browser.test_pages import faults
from tests.chromium import shoot
from tests.factories.evidence import FINE, UNSURE, two_models
from tests.factories.world import World

MODELS = "/campaigns/chest-ct/models/"


def decide(page: Page, button: str, reason: str, word: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(button)
    dialog.get_by_role("button", name=word).click()
    expect(dialog).to_be_visible()  # without a reason nothing is sent
    dialog.get_by_label("Why?").fill(reason)
    dialog.get_by_role("button", name=word).click()


def test_a_person_decides_and_takes_it_back(live_world: World, new_page: Any) -> None:
    model = two_models(live_world, UNSURE, FINE)
    page = new_page("coordinator")
    page.goto(MODELS)
    expect(page.get_by_text("m2 waits for a person's decision.")).to_be_visible()
    expect(page.get_by_role("img", name="reference and m2")).to_be_visible()
    picture = page.locator("svg.case image").first.get_attribute("href")
    assert page.request.get(f"{page.url.split('/campaigns')[0]}{picture}").status == 200
    decide(page, "Promote m2", "It is better on my own scans.", "Make it the champion")
    expect(page.get_by_text("It is better on my own scans.")).to_be_visible()
    assert ModelVersion.objects.get(pk=model.pk).state == "champion"
    decide(page, "Roll back to m1", "It marks vessels.", "Make it the champion")
    expect(page.get_by_text("m1 serves pre-annotations from now on")).to_be_visible()
    page.goto(f"{MODELS}?model=2")
    expect(page.get_by_text("served until")).to_be_visible()
    expect(page.get_by_role("button", name="Roll back to")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_a_model_are_accessible_and_fit(live_world: World, new_page: Any, theme: str) -> None:
    model = two_models(live_world, UNSURE, FINE)
    page = new_page("coordinator", color_scheme=theme)
    found: list[str] = []
    model.portable_key, model.portable = (
        "portables/x",
        {
            "bytes": 2_400_000,
            "files": 96,
            "onnx_difference": 2e-7,
            "made_at": "2026-11-29T21:00:00+00:00",
        },
    )
    model.save()
    for path in (MODELS, f"/models/{model.pk}/card/", f"{MODELS}bring/"):
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        found += faults(page)
        for width in (390, 1366, 1440):
            page.set_viewport_size({"width": width, "height": 2400})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width}"
            shoot(page, f"model-{path.strip('/').rpartition('/')[2]}-{theme}-{width}")
    assert not found, "\n".join(found)
