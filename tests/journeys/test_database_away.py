"""The database stops while somebody draws: refusals have a code, strokes are kept, and saved when it is back."""

import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.chromium import Watched, log_in, open_context, shoot
from tests.factories.world import PASSWORD, SHAPE
from tests.journeys.test_killed_while_drawing import SEED, told
from tests.journeys.viewer import Viewer
from tests.product import Product
from voxloop.embedded.postgres import EmbeddedPostgres

Z = SHAPE[0] // 2
# The browser's own console messages on failed requests.
EXPECTED = ["Failed to load resource", "net::ERR_", "Response Status Error Code 503"]


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        postgres = EmbeddedPostgres(Path(folder) / "postgres", is_throwaway=True)
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()
            postgres.remove()


def refused(url: str, **headers: str) -> tuple[int, str, str]:
    """Status, code and `Retry-After` of a refusal."""
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20)
    with told.value as answer:
        code = answer.headers.get("Voxloop-Code") or json.loads(answer.read())["code"]
        return answer.code, code, answer.headers["Retry-After"]


@pytest.mark.fault("the database stops while somebody draws")
def test_the_database_stops_while_somebody_draws(
    postgres: EmbeddedPostgres, tmp_path: Path, browser: Browser, django_db_blocker: object
) -> None:
    product = Product(tmp_path, postgres.url)
    product.manage("prepare_broker", "--migrate")
    pk = product.manage("shell", "-v", "0", "-c", SEED).stdout.split()[-1]
    context = open_context(browser, product.url, Watched(expected=EXPECTED))
    try:
        product.start("web")
        page = context.new_page()
        log_in(page, "annotator", PASSWORD)
        viewer = Viewer(page).open_to_draw(pk, (8, 10, Z))
        viewer.stroke("b", (8, 10, Z))
        viewer.wait_saved()
        drawn = [viewer.facts("strokes[0].id")]

        postgres.stop()
        for path in ("/api/v1/me/", "/people/me/"):
            cookie = next(one["value"] for one in context.cookies() if one["name"] == "sessionid")
            assert refused(product.url + path, Cookie=f"sessionid={cookie}")[:2] == (503, "database_away"), path
        for x in (20, 30):
            viewer.stroke("b", (x, 20, Z))
            drawn.append(viewer.facts("strokes[0].id"))
        page.wait_for_function("() => voxloop.saveState.kind === 'offline' && voxloop.saveState.unsent === 2")
        expect(page.get_by_test_id("save-state")).to_contain_text("Server is away")
        expect(page.get_by_test_id("save-state")).to_contain_text("2 strokes kept in this browser")
        assert page.locator(".note-bad").count() == 0
        shoot(page, "viewer-database-away")
        other = context.new_page()
        other.goto("/worklist/")
        expect(other.get_by_role("heading", name="Not just now")).to_be_visible()
        shoot(other, "page-database-away")

        postgres.start()
        viewer.wait_saved()
        # The page has retried by itself.
        expect(other.get_by_role("heading", name="My work")).to_be_visible()
        assert told(product) == [viewer.mask_hash(), drawn]
        assert not [line for line in (tmp_path / "web.log").read_text().splitlines() if "Traceback" in line]
    finally:
        context.close()
        product.stop()
