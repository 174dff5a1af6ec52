"""Firefox for tests, as Debian has it, over its own wire for WebDriver: what geckodriver translates to, which Debian
lacks (docs/adr/0037)."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.webdriver import PATIENCE_S, Driver, RefusedError

# Commands of the standard, as Firefox calls them; `{}` stands for an element.
COMMANDS = {
    "/session": "WebDriver:NewSession",
    "/timeouts": "WebDriver:SetTimeouts",
    "/window/rect": "WebDriver:SetWindowRect",
    "/url": "WebDriver:Navigate",
    "/refresh": "WebDriver:Refresh",
    "/execute/async": "WebDriver:ExecuteAsyncScript",
    "/actions": "WebDriver:PerformActions",
    "/element": "WebDriver:FindElement",
    "/element/{}/click": "WebDriver:ElementClick",
    "/element/{}/value": "WebDriver:ElementSendKeys",
    "/screenshot": "WebDriver:TakeScreenshot",
    "": "Marionette:Quit",
}
PREFERENCES = {
    "marionette.port": 0,  # a free one; the profile says which
    "browser.aboutConfig.showWarning": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "app.update.enabled": False,
    "remote.prefs.recommended": True,  # all else that a browser under test should not do by itself
}


class Firefox(Driver):
    """One session; messages are `[0, number, command, parameters]`, answers `[1, number, error, result]`."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port), timeout=2 * PATIENCE_S)
        self._number = 0
        self._read()  # who it is
        super().__init__(port, {})

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            if not (sign := self._line.recv(1)):
                raise OSError("Firefox has gone.")
            length += sign
        parts, left = [], int(length[:-1])
        while left:
            parts.append(self._line.recv(left))
            left -= len(parts[-1])
        return json.loads(b"".join(parts))

    def ask(self, method: str, path: str, **body: Any) -> Any:
        steps = path.split("/")
        if steps[1:2] == ["element"] and len(steps) > 2:
            body["id"], steps[2] = steps[2], "{}"
        self._number += 1
        message = json.dumps([0, self._number, COMMANDS["/".join(steps)], body]).encode()
        self._line.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read()
        if error:
            raise RefusedError(f"{error['error']}: {error['message']}")
        return result["value"] if set(result) == {"value"} else result

    def close(self) -> None:
        with suppress(RefusedError, OSError):
            self.ask("DELETE", "", flags=["eForceQuit"])
        self._line.close()


def find_firefox() -> str:
    """The system's Firefox. Fails with instructions to install it."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    assert found, "Firefox is missing: install the package `firefox-esr` (Debian) to run the tests in Firefox."
    return found


@contextmanager
def launch_firefox(**preferences: Any) -> Iterator[Firefox]:
    """A headless browser with a profile that ends with it."""
    with tempfile.TemporaryDirectory(prefix="voxloop-firefox-", ignore_cleanup_errors=True) as name:
        profile = Path(name)
        wanted = PREFERENCES | preferences
        lines = [f"user_pref({json.dumps(key)}, {json.dumps(value)});" for key, value in wanted.items()]
        (profile / "user.js").write_text("\n".join(lines))
        command = [find_firefox(), "--headless", "--marionette", "--no-remote", "--profile", name]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                driver = Firefox(_port(profile, server))
                try:
                    yield driver
                finally:
                    driver.close()
            finally:
                server.terminate()


def _port(profile: Path, server: subprocess.Popen[bytes]) -> int:
    """Where it listens, as soon as it does."""
    end = time.monotonic() + PATIENCE_S
    told = profile / "MarionetteActivePort"
    while not (told.exists() and told.read_text()):
        assert server.poll() is None, "Firefox ended at its start."
        assert time.monotonic() < end, "Firefox did not begin to listen."
        time.sleep(0.05)
    return int(told.read_text())
