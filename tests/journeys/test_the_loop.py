"""The whole loop on one machine; the story itself is in `story`."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.chromium import Watched
from tests.journeys.story import tell_the_story
from tests.product import Product


@pytest.mark.timeout(1500)
def test_the_loop_closes(product: Product, tmp_path: Path, browser: Browser) -> None:
    watched = Watched()
    product.environment["VOXLOOP_TRAIN_STEPS"] = "60"  # what a whole training teaches is measured by `bench learning`
    try:
        tell_the_story(product, product.start, tmp_path, browser, watched)
    except BaseException as error:
        error.add_note(product.logs())
        raise
    watched.check()
