"""A page over W3C WebDriver, for a browser that Playwright cannot drive: as much of Playwright's `Page` as `Viewer` and
the journeys use (docs/adr/0037)."""

import base64
import http.client
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

# By the names that Playwright gives them.
KEYS = {
    "Shift": "\ue008",
    "Control": "\ue009",
    "Alt": "\ue00a",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Tab": "\ue004",
    "PageUp": "\ue00e",
    "PageDown": "\ue00f",
    "ArrowUp": "\ue013",
    "ArrowDown": "\ue015",
}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of a reference, by the standard
SCRIPT = """const done = arguments[arguments.length - 1];
Promise.resolve((%s)(arguments[0])).then((value) => done({ value }), (error) => done({ error: String(error) }));"""
PATIENCE_S = 60


class RefusedError(Exception):
    """The driver says no; `error` of the standard."""


class Driver:
    """One session of a driver."""

    def __init__(self, port: int, capabilities: dict[str, Any]) -> None:
        self.port, self.at = port, ""
        found = self.ask("POST", "/session", capabilities={"alwaysMatch": capabilities})
        self.at = f"/session/{found['sessionId']}"
        self.ask("POST", "/timeouts", script=PATIENCE_S * 1000, pageLoad=PATIENCE_S * 1000, implicit=20_000)
        self.ask("POST", "/window/rect", x=0, y=0, width=1600, height=1100)

    def ask(self, method: str, path: str, **body: Any) -> Any:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * PATIENCE_S)
        try:
            line.request(method, self.at + path, json.dumps(body) if method == "POST" else None)
            value = json.loads(line.getresponse().read())["value"]
        finally:
            line.close()
        if isinstance(value, dict) and "error" in value and "message" in value:
            raise RefusedError(f"{value['error']}: {value['message']}")
        return value

    def close(self) -> None:
        """End the session, and the browser with it."""
        with suppress(RefusedError, OSError):
            self.ask("DELETE", "")

    def act(self, kind: str, *actions: dict[str, Any], **more: Any) -> None:
        self.ask("POST", "/actions", actions=[{"type": kind, "id": kind, "actions": actions, **more}])


class Keyboard:
    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def press(self, keys: str) -> None:
        """As Playwright: `Control+Shift+Z`."""
        values = [KEYS.get(name, name) for name in keys.split("+")]
        down = [{"type": "keyDown", "value": value} for value in values]
        up = [{"type": "keyUp", "value": value} for value in reversed(values)]
        self._driver.act("key", *down, *up)


class Mouse:
    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def _act(self, *actions: dict[str, Any]) -> None:
        self._driver.act("pointer", *actions, parameters={"pointerType": "mouse"})

    def move(self, x: float, y: float) -> None:
        self._act({"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)})

    def down(self) -> None:
        self._act({"type": "pointerDown", "button": 0})

    def up(self) -> None:
        self._act({"type": "pointerUp", "button": 0})

    def click(self, x: float, y: float) -> None:
        self.move(x, y)
        self.down()
        self.up()


class WebDriverPage:
    """A page; functions are JavaScript, as Playwright takes them."""

    def __init__(self, driver: Driver, base_url: str) -> None:
        self._driver, self._base = driver, base_url
        self.keyboard, self.mouse = Keyboard(driver), Mouse(driver)

    def goto(self, path: str) -> None:
        self._driver.ask("POST", "/url", url=self._base + path)

    def reload(self) -> None:
        self._driver.ask("POST", "/refresh")

    def evaluate(self, function: str, arg: Any = None) -> Any:
        answer = self._driver.ask("POST", "/execute/async", script=SCRIPT % function, args=[arg])
        if answer is None:  # Firefox, while the page is being left
            raise RefusedError("no answer")
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer.get("value")

    def wait_for_function(self, function: str, *, arg: Any = None, timeout: float = 20_000) -> Any:
        """Until it returns something true; `timeout` in ms. A page that is being left answers nothing."""
        end = time.monotonic() + timeout / 1000
        why: object = "it never was true"
        while time.monotonic() < end:
            try:
                if found := self.evaluate(function, arg):
                    return found
            except RefusedError as error:
                why = error
            time.sleep(0.05)
        raise AssertionError(f"waited {timeout:.0f} ms in vain for {function}: {why}")

    def _element(self, selector: str) -> str:
        found = self._driver.ask("POST", "/element", using="css selector", value=selector)
        return f"/element/{found[ELEMENT]}"

    def click(self, selector: str) -> None:
        self._driver.ask("POST", f"{self._element(selector)}/click")

    def fill(self, selector: str, text: str) -> None:
        self._driver.ask("POST", f"{self._element(selector)}/value", text=text)

    def screenshot(self, *, path: Path | None = None) -> bytes:
        png = base64.b64decode(self._driver.ask("GET", "/screenshot"))
        if path is not None:
            path.write_bytes(png)
        return png
