"""WebKit for tests, the engine of Safari, as Debian has it: its own small browser on a display in memory."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.product import free_port
from tests.webdriver import PATIENCE_S, Driver


def find(name: str) -> str:
    """This program. Fails with instructions to install it."""
    found = shutil.which(name) or next(map(str, Path("/usr/lib").glob(f"*/webkit2gtk-4.1/{name}")), None)
    assert found, f"{name} is missing: install `webkit2gtk-driver` and `xvfb` (Debian) to run the tests in WebKit."
    return found


@contextmanager
def display() -> Iterator[str]:
    """A display in memory: WebKitGTK draws nothing without one. Yields its name."""
    command = [find("Xvfb"), "-displayfd", "1", "-screen", "0", "1600x1100x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()


@contextmanager
def launch_webkit() -> Iterator[Driver]:
    """A browser with a profile that ends with it."""
    port = free_port()
    options: dict[str, Any] = {"binary": find("MiniBrowser"), "args": ["--automation"]}
    capabilities: dict[str, Any] = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
    command = [find("WebKitWebDriver"), f"--port={port}", "--host=127.0.0.1"]
    with display() as name, subprocess.Popen(command, env=os.environ | {"DISPLAY": name}) as server:
        try:
            driver = _session(port, capabilities)
            try:
                yield driver
            finally:
                driver.close()
        finally:
            server.terminate()


def _session(port: int, capabilities: dict[str, Any]) -> Driver:
    """A session, as soon as the driver listens."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return Driver(port, capabilities)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
