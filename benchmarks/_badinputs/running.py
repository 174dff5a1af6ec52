"""Send bad inputs to a running product and report the outcome."""

import contextlib
import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from benchmarks._badinputs.generated import generate
from benchmarks._badinputs.named import list_named
from benchmarks._badinputs.world import Asked, Targets

PROBLEM, CODE_HEADER = "application/problem+json", "voxloop-code"
MOST_TOLD = 40
WARM = 400  # requests until a web process has loaded what it needs
# Tables that grow with any request: failed log-ins, the log, those of broker and scheduler.
LOGS = ("audit_", "axes_", "django_session", "knox_", "pgmq", "django_celery", "celery_", "project_requestcount")

Answer = tuple[int, dict[str, str], bytes]
Sender = Callable[[Asked], Answer]


@dataclass
class Facts:
    """What a run found. `holds`: no 5xx, no refusal without a code, nothing left behind."""

    named: int = 0
    generated: int = 0
    by_status: Counter[int] = field(default_factory=Counter)
    by_code: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)
    without_code: list[dict[str, Any]] = field(default_factory=list)
    unanswered: list[dict[str, Any]] = field(default_factory=list)
    saved: int = 0
    head: str = "empty"
    written: int = 0
    rows_left: dict[str, int] = field(default_factory=dict)
    files_left: list[str] = field(default_factory=list)
    memory_growth_percent: float | None = None

    @property
    def holds(self) -> bool:
        """Whether every answer had a code and nothing was left behind."""
        return not (self.faults or self.without_code or self.unanswered or self.rows_left or self.files_left)

    def to_json(self) -> dict[str, Any]:
        """For a report."""
        counts = {"by_status": dict(sorted(self.by_status.items())), "by_code": dict(self.by_code.most_common())}
        return {**asdict(replace(self, by_status=Counter(), by_code=Counter())), **counts, "holds": self.holds}


@dataclass(frozen=True)
class Watch:
    """What is watched besides responses; each is optional."""

    count_rows: Callable[[], dict[str, int]] | None = None
    list_files: Callable[[], list[str]] | None = None
    resident_bytes: Callable[[], int] | None = None
    settle: Callable[[], None] | None = None  # until the jobs that were asked for have ended


def run_bad_inputs(
    sender: Sender,
    targets: Targets,
    seed: int,
    count: int,
    *,
    watch: Watch | None = None,
    named: Iterable[Asked] | None = None,
) -> Facts:
    """Send every named input and `count` generated ones."""
    watch = watch or Watch()
    facts = Facts()
    status, _, body = sender(Asked("schema", "GET", "/api/v1/schema/?format=json"))
    if status != 200:
        raise RuntimeError(f"The schema of the API was answered with {status}.")
    schema = json.loads(body)
    rows = watch.count_rows() if watch.count_rows else {}
    files = set(watch.list_files()) if watch.list_files else set()
    before = 0
    for asked in list_named(targets) if named is None else named:
        facts.named += 1
        _send(sender, asked, facts)
    for number, asked in enumerate(generate(targets, schema, seed, count)):
        if number == WARM and watch.resident_bytes:
            before = watch.resident_bytes()
        facts.generated += 1
        _send(sender, asked, facts)
    if before and watch.resident_bytes:
        facts.memory_growth_percent = round(100 * (watch.resident_bytes() / before - 1), 2)
    if watch.settle:
        watch.settle()
    if watch.count_rows:
        facts.rows_left = _unexplained(rows, watch.count_rows(), facts)
    if watch.list_files:
        facts.files_left = sorted(set(watch.list_files()) - files)[:MOST_TOLD]
    return facts


def _send(sender: Sender, asked: Asked, facts: Facts) -> None:
    if asked.headers.get("If-Match") == '"empty"':
        # Saves carry the current head: a stale save is refused unread.
        asked = replace(asked, headers={**asked.headers, "If-Match": f'"{facts.head}"'})
    try:
        status, headers, body = sender(asked)
    except (OSError, http.client.HTTPException) as error:
        _tell(facts.unanswered, asked, repr(error))
        return
    facts.by_status[status] += 1
    if status >= 500:
        _tell(facts.faults, asked, str(status))
    elif status >= 400:
        code = _code_of(asked, headers, body)
        facts.by_code[code] += 1
        if not code:
            _tell(facts.without_code, asked, str(status))
    elif status < 300 and asked.method not in ("GET", "HEAD", "OPTIONS"):
        facts.written += 1
        if status == 201 and "/mask" in asked.path:
            facts.saved += 1
            facts.head = str(json.loads(body)["revision"])


def _code_of(asked: Asked, headers: dict[str, str], body: bytes) -> str:
    if code := headers.get(CODE_HEADER):
        return code
    if headers.get("content-type") != PROBLEM:
        return ""
    # The response to HEAD has no body; only its content type can be checked.
    return "head" if asked.method == "HEAD" else str(json.loads(body).get("code", ""))


def _tell(into: list[dict[str, Any]], asked: Asked, why: str) -> None:
    if len(into) < MOST_TOLD:
        into.append({**asked.told(), "why": why})


def _unexplained(before: dict[str, int], after: dict[str, int], facts: Facts) -> dict[str, int]:
    """Rows beyond those that accepted requests account for."""
    grown = {table: n - before.get(table, 0) for table, n in after.items() if n > before.get(table, 0)}
    most = {"masks_maskrevision": facts.saved}
    return {
        table: n for table, n in grown.items() if not table.startswith(LOGS) and n > most.get(table, 2 * facts.written)
    }


@contextlib.contextmanager
def over_http(url: str, targets: Targets, timeout_s: float = 60) -> Iterator[Sender]:
    """A function that sends requests to a product; one connection, reopened when the server closes it."""
    parts = urlsplit(url)
    held: list[http.client.HTTPConnection] = []

    def ask(asked: Asked) -> Answer:
        headers = {"Host": parts.netloc, **asked.headers}
        if asked.person is not None and "Authorization" not in headers:
            headers["Authorization"] = f"Token {targets.tokens[asked.person]}"
        for attempt in (1, 2):
            fresh = not held
            line = (
                held.pop() if held else http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
            )
            try:
                line.putrequest(asked.method, asked.path, skip_host=True, skip_accept_encoding=True)
                for name, value in headers.items():
                    line.putheader(name, value.encode("latin-1"))
                if asked.body or asked.method not in ("GET", "HEAD"):
                    line.putheader("Content-Length", str(len(asked.body)))
                line.endheaders(asked.body or None)
                answer = line.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                line.close()
                if fresh or attempt == 2:
                    raise
                continue
            if not answer.will_close:
                held.append(line)
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
        raise AssertionError("unreachable")

    try:
        yield ask
    finally:
        for line in held:
            line.close()
