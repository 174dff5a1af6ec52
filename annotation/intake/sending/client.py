"""The server, as a site sees it: who am I, take this zip, what became of it."""

from __future__ import annotations

import http.client
import io
import json
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from voxloop.kernel.errors import Invalid

BLOCK = 1 << 16
TIMEOUT_S = 120.0
LOCAL = {"localhost", "127.0.0.1", "::1"}
TEMPORARY = {408, 429, 502, 503, 504, 507}
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 20.0)  # between attempts
ASK_EVERY_S = 1.0
ENDED = {"succeeded", "failed", "cancelled", "lost"}


class ServerAway(Invalid):
    """The server did not answer, several times."""

    code = "server_away"
    detail = "The server does not answer; run the same command again later: what was sent is not sent twice."


class Server:
    """One server with a token. Every call is tried again after a pause while the server is away or busy.

    Raises ServerAway, or Invalid with the server's own code and sentence."""

    def __init__(self, url: str, token: str, *, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid("The server is an address like https://voxloop.hospital.example.", code="bad_server")
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            raise Invalid(
                "The address begins with http, so anybody could read the token; use https.", code="bad_server"
            )
        if not (token.isascii() and token.isalnum()):
            raise Invalid("The token is letters and digits; copy it again from your account.", code="bad_token")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._parts, self._token, self._pauses_s = parts, token, pauses_s

    def only(self, route: str, name: str) -> str:
        """The name of the one site or campaign that the token sees."""
        found = [str(row[name]) for row in self._ask("GET", f"/{route}/?{urlencode({'page_size': 50})}")["results"]]
        if len(found) != 1:
            told = ", ".join(sorted(found)) or "none"
            raise Invalid(f"Say which of the {route} it is, by --{route[:-1]}: {told}.", code="not_chosen")
        return found[0]

    def upload(self, path: Path, fields: dict[str, str], on_bytes: Callable[[int], None]) -> str:
        """Send a zip; returns the id of the import job. `on_bytes` hears how many bytes were sent so far."""
        edge = secrets.token_hex(16)
        head = b"".join(
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        )
        head += (
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="series.zip"\r\n'
            "Content-Type: application/zip\r\n\r\n"
        ).encode()
        tail = f"\r\n--{edge}--\r\n".encode()
        length = len(head) + path.stat().st_size + len(tail)

        def body() -> Iterator[bytes]:
            done = 0
            with path.open("rb") as packed:
                for part in (io.BytesIO(head), packed, io.BytesIO(tail)):
                    while block := part.read(BLOCK):
                        yield block
                        done += len(block)
                        on_bytes(min(done, length))

        kind = f"multipart/form-data; boundary={edge}"
        headers = {"Content-Type": kind, "Content-Length": str(length)}
        return str(self._ask("POST", "/scans/upload", body, headers)["id"])

    def wait(self, job: str, on_progress: Callable[[int, str], None]) -> dict[str, Any] | None:
        """The job when it has ended; None when the server knows no such job."""
        while True:
            try:
                found = self._ask("GET", f"/jobs/{job}/")
            except Invalid as refusal:
                if refusal.code == "not_found":
                    return None
                raise
            if found["state"] in ENDED:
                return found
            on_progress(int(found["progress"]), str(found["message"]))
            time.sleep(ASK_EVERY_S)

    def _ask(
        self,
        method: str,
        path: str,
        body: Callable[[], Iterator[bytes]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        for pause_s in (*self._pauses_s, None):
            try:
                status, wait_s, raw = self._once(method, path, body() if body else None, headers or {})
            except (OSError, http.client.HTTPException):
                status, wait_s, raw = 503, 0.0, b""
            if status not in TEMPORARY:
                return _read_answer(status, raw)
            if pause_s is not None:
                time.sleep(max(pause_s, min(wait_s, 60.0)))
        raise ServerAway

    def _once(
        self, method: str, path: str, body: Iterator[bytes] | None, headers: dict[str, str]
    ) -> tuple[int, float, bytes]:
        host, port = self._parts.hostname or "", self._parts.port
        link: http.client.HTTPConnection
        if self._parts.scheme == "https":
            link = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
        else:
            link = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        try:
            head = {"Authorization": f"Token {self._token}", "Accept": "application/json", **headers}
            link.request(method, f"{self._parts.path.rstrip('/')}/api/v1{path}", body=body, headers=head)
            answer = link.getresponse()
            wait = answer.headers.get("Retry-After", "")
            return answer.status, float(wait) if wait.isdecimal() else 0.0, answer.read()
        finally:
            link.close()


def _read_answer(status: int, raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
        if status < 300:
            return dict(document)
        code, detail = str(document["code"]), str(document["detail"])
    except (ValueError, KeyError, TypeError) as error:
        raise Invalid(
            f"What answers there is not a Voxloop server (HTTP {status}); check the address.", code="bad_server"
        ) from error
    if status == 401:
        raise Invalid("The server does not take the token; make a new one in your account.", code="bad_token")
    raise Invalid(detail, code=code)
