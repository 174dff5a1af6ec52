"""The servers that the benchmark compares: ours, gunicorn alone, gunicorn behind nginx."""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tests.product import ROOT, Product
from voxloop.embedded.processes import free_port

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.error; worker_processes 1;
events {{ worker_connections 2000; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; client_max_body_size 2048m;
    upstream product {{ server 127.0.0.1:{behind}; keepalive 16; }}
    server {{ listen 127.0.0.1:{port}; location / {{
        proxy_pass http://product; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    }} }}
}}
"""


@contextlib.contextmanager
def started(product: Product, *command: str, port: int, **extra: str) -> Iterator[int]:
    """Start a server by its command and wait until `/healthz` responds; yields its pid."""
    with (product.state / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=product.environment | extra, stdout=log, stderr=log, start_new_session=True
        )
    try:
        end = time.monotonic() + 60
        while not answers(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((product.state / "server.log").read_text()[-2000:])
            time.sleep(0.1)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(port: int) -> bool:
    """Whether a server reports that it is healthy."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        line.request("GET", "/healthz?live")
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


@contextlib.contextmanager
def front(product: Product) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "voxloop.project.front", "--bind", f"127.0.0.1:{port}"]
    with started(product, *command, port=port):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def gunicorn(product: Product) -> Iterator[str]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "voxloop.project.wsgi:application",
        "--bind",
        f"127.0.0.1:{port}",
        "--worker-class",
        "gthread",
        "--workers",
        "2",
        "--threads",
        "4",
        "--preload",
        "--timeout",
        "120",
        "--graceful-timeout",
        "5",
        "--no-control-socket",
        "--log-level",
        "warning",
    ]
    with started(product, *command, port=port):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def nginx(product: Product) -> Iterator[str]:
    with gunicorn(product) as behind, tempfile.TemporaryDirectory() as folder:
        port = free_port()
        Path(folder).chmod(0o755)
        settings = Path(folder) / "nginx.conf"
        settings.write_text(NGINX.format(folder=folder, port=port, behind=urlsplit(behind).port))
        with started(product, NGINX_PROGRAM, "-c", str(settings), "-p", folder, port=port):
            yield f"http://127.0.0.1:{port}"


NGINX_PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or ""


STARTS = {"front": front, "gunicorn": gunicorn} | ({"nginx + gunicorn": nginx} if NGINX_PROGRAM else {})
