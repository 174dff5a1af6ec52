"""Cost of a save: CPU time of the web processes and of PostgreSQL, statements, and latency. "Today's build" (the
baseline commit of `_builds.py`) and ours, alternating on the same machine, behind the same server (waitress), with the
same requests: real HTTP, a mask of some 500 chunks of which each stroke changes 8 to 30."""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

from benchmarks._annotators import Drawing, LogIn, Saver, make_log_ins
from benchmarks._builds import ROOT, Build, source_of_today
from benchmarks._demo import temporary_state
from benchmarks._rows import plain_row, ratio_row

ANNOTATORS = 34
ROUNDS = 3  # alternating between ours and today's
SAVES = 50  # per round and way to log in
LOAD_S = 15  # each annotator saves once a second
MOST_OF_TODAY = 0.4
MOST_OF_IDLE = 2.0


def run() -> Iterator[dict[str, Any]]:
    """Rows: ours compared with today's."""
    with temporary_state() as folder, tempfile.TemporaryDirectory() as source:
        builds = []
        for name, root in (("ours", ROOT), ("today", source_of_today(Path(source)))):
            (folder / name).mkdir(mode=0o711)
            builds.append(Build(name, root, folder / name))
        try:
            yield from measure(*builds)
        finally:
            for build in builds:
                build.stop()


def measure(ours: Build, today: Build) -> Iterator[dict[str, Any]]:
    """Start two builds and measure rows."""
    offices = []
    for build in (ours, today):
        build.start()
        offices.append(Office(build, make_log_ins(build, ANNOTATORS)))
    for _ in range(ROUNDS):
        for way in ("session", "token"):
            for office in offices:
                office.save_alone(way)
    for _ in range(2):
        for office in offices:
            office.save_together()
    mine, peer = offices
    for way in ("session", "token"):
        for number, what in enumerate(("web", "PostgreSQL")):
            yield ratio_row(
                "saves", f"processor time of {what}, {way}", mine.cost(way)[number], peer.cost(way)[number], "ms"
            )
        both = [sum(office.cost(way)) for office in offices]
        yield ratio_row("saves", f"processor time of a save, {way}", both[0], both[1], "ms", MOST_OF_TODAY)
        counts = [office.count_statements(way) for office in offices]
        yield ratio_row("saves", f"statements of a save, {way}", counts[0], counts[1], "")
    for share, which in ((50, "median"), (95, "p95")):
        alone, together = ([office.share(times, share) for office in offices] for times in ("alone", "together"))
        yield ratio_row("saves", f"one annotator alone, {which}", alone[0], alone[1], "ms")
        yield ratio_row("saves", f"{ANNOTATORS} once a second, {which}", together[0], together[1], "ms")
    yield ratio_row(
        "saves",
        f"ours: p95 of {ANNOTATORS} beside alone",
        mine.share("together", 95),
        mine.share("alone", 95),
        "ms",
        MOST_OF_IDLE,
    )
    yield plain_row("saves", "ours: saves that were late or failed", mine.failed, "")


class Office:
    """The annotators of one build, and the cost of their saves so far."""

    def __init__(self, build: Build, log_ins: list[LogIn]) -> None:
        self.build, self.log_ins = build, log_ins
        self.drawings = [Drawing(seed) for seed in range(1, 3)]
        self.heads = ["empty"] * len(log_ins)
        self.costs: dict[str, list[tuple[float, float]]] = {"session": [], "token": []}
        self.times: dict[str, list[float]] = {"alone": [], "together": []}
        self.failed = 0
        self.number = 0
        whole = self.drawings[0].whole()
        for number in range(len(log_ins)):
            self.save(self.saver(number), number, whole)

    def saver(self, number: int, way: str = "session") -> Saver:
        return Saver(self.build.ports[number % len(self.build.ports)], self.log_ins[number], way)

    def save(self, saver: Saver, number: int, message: bytes) -> float:
        self.heads[number], took = saver.save(message, self.heads[number], uuid4())
        return took

    def save_alone(self, way: str) -> None:
        """Two annotators, one on each web process, one save at a time."""
        messages = list(self.drawings[0].strokes(SAVES))
        savers = [self.saver(number, way) for number in (0, 1)]
        for number in range(4):  # both processes warm
            self.save(savers[number % 2], number % 2, messages[number])
        before = self.build.processor_ms()
        for number, message in enumerate(messages):
            self.times["alone"].append(self.save(savers[number % 2], number % 2, message))
            time.sleep(0.01)
        time.sleep(0.3)  # let PostgreSQL's background processes finish writing
        after = self.build.processor_ms()
        web, database = ((b - a) / SAVES for a, b in zip(before, after, strict=True))
        self.costs[way].append((web, database))

    def save_together(self) -> None:
        """Every annotator once a second."""
        plan = []
        for number in range(len(self.log_ins)):
            plan.append(list(Drawing(100 * self.number + number, balls=1).strokes(LOAD_S)))
        self.number += 1
        begin = time.monotonic() + 0.5

        def annotate(number: int) -> None:
            saver = self.saver(number)
            try:
                for second, message in enumerate(plan[number]):
                    wait = begin + second + number / len(self.log_ins) - time.monotonic()
                    time.sleep(max(0.0, wait))
                    self.times["together"].append(self.save(saver, number, message))
            except (OSError, RuntimeError):
                self.failed += 1

        threads = [threading.Thread(target=annotate, args=(number,)) for number in range(len(self.log_ins))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def count_statements(self, way: str) -> float:
        """Number of SQL statements of one save."""
        saver, messages = self.saver(0, way), list(self.drawings[0].strokes(10))
        self.save(saver, 0, messages[0])
        with self.build.logged_statements() as statements:
            for message in messages[1:]:
                self.save(saver, 0, message)
        return len(statements) / (len(messages) - 1)

    def cost(self, way: str) -> tuple[float, float]:
        """CPU time of a save in web and PostgreSQL, ms: the median of the rounds."""
        return median(web for web, _ in self.costs[way]), median(database for _, database in self.costs[way])

    def share(self, which: str, percent: int) -> float:
        """A quantile of the times of saves, ms."""
        return quantiles(self.times[which], n=100)[percent - 1]
