"""Send what is in a source: series by series, each de-identified, noted in the site's table, delivered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from annotation.intake.deidentify.keys import SiteKeys
from annotation.intake.deidentify.report import Report
from annotation.intake.deidentify.rules import Rules
from annotation.intake.limits import Limits
from annotation.intake.sending.client import ServerAway
from annotation.intake.sending.destinations import Delivery, Destination, State, refused_by
from annotation.intake.sending.packing import Packed, SetAside, pack_series
from annotation.intake.sending.series import Finds, FoundSeries, find_series
from annotation.intake.sending.sources import open_source
from voxloop.kernel.errors import Refusal

CUT_SHORT = {"bad_token", "bad_server", "forbidden"}  # the next series would meet the same


@dataclass
class Outcome:
    """What became of one series; `files` were sent, `set_aside` not."""

    series: str
    series_number: int | None
    folder: str
    file: str
    files: int
    delivery: Delivery
    set_aside: list[SetAside] = field(default_factory=list)


@dataclass
class Summary:
    """What became of everything."""

    report: Report
    series: list[Outcome] = field(default_factory=list)
    not_dicom: int = 0
    unreadable: int = 0

    @property
    def is_success(self) -> bool:
        """Whether at least one series went where it should, and the server refused none."""
        states = [outcome.delivery.state for outcome in self.series]
        by_server = any(outcome.delivery.state is State.REFUSED and outcome.files for outcome in self.series)
        return any(state is not State.REFUSED for state in states) and not by_server

    def to_json(self) -> dict[str, Any]:
        """For scripts: the series with their outcome, and the counts of attributes."""
        return {
            "series": [asdict(outcome) for outcome in self.series],
            "not_dicom": self.not_dicom,
            "unreadable": self.unreadable,
            "attributes": self.report.to_json(),
        }


@dataclass(frozen=True)
class Progress:
    """Who hears of it: how many files there are, that one is done, and what is being done."""

    total: Callable[[int], None] = lambda files: None
    step: Callable[[int], None] = lambda files: None
    say: Callable[[str], None] = lambda sentence: None


def send_source(
    source: Path,
    destination: Destination,
    *,
    keys: SiteKeys,
    rules: Rules,
    note: Callable[[Packed], None],
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Send every series of a folder, zip, DICOMDIR or file. `note` keeps whose code is whose, before anything leaves.

    A refused series does not stop the others. Raises Refusal when the source cannot be read, or nothing more can be
    delivered: what was delivered before is noted by the destination, and the same call goes on from there."""
    limits, progress = limits or Limits(), progress or Progress()
    summary = Summary(Report())
    with open_source(source, limits) as members:
        progress.total(2 * len(members))
        progress.say("Reading headers")
        finds = find_series(members, keys, limits, lambda done: progress.step(1))
        summary.not_dicom, summary.unreadable = finds.not_dicom, finds.unreadable
        progress.step(finds.not_dicom + finds.unreadable)
        for number, series in enumerate(finds.series, start=1):
            say = _prefixed(progress.say, number, finds)
            outcome = _send_series(series, destination, keys, rules, note, limits, summary.report, progress, say)
            summary.series.append(outcome)
    return summary


def _send_series(
    series: FoundSeries,
    destination: Destination,
    keys: SiteKeys,
    rules: Rules,
    note: Callable[[Packed], None],
    limits: Limits,
    report: Report,
    progress: Progress,
    say: Callable[[str], None],
) -> Outcome:
    first = min((member.sent for member in series.members), key=lambda sent: sent.turn)
    contents = series.contents(rules)
    known = destination.find(series.code, contents, say) if series.code else None
    outcome = Outcome(series.code, series.number, first.folder, first.file, 0, Delivery(State.REFUSED))
    if known is not None:
        progress.step(len(series.members))
        outcome.files, outcome.delivery = len(series.members), known
        return outcome
    say("de-identifying")
    path = destination.place(series.code)
    packed = pack_series(
        series, path, keys=keys, rules=rules, report=report, limits=limits, on_file=lambda: progress.step(1)
    )
    outcome.set_aside, outcome.files = list(packed.set_aside.values()), packed.files
    if not packed.files:
        if path is not None:
            path.unlink()
        main = max(outcome.set_aside, key=lambda aside: aside.files)
        outcome.delivery = Delivery(State.REFUSED, code=main.code, reason=main.reason)
        return outcome
    note(packed)
    try:
        outcome.delivery = destination.deliver(series.code, contents, path, say)
    except ServerAway:
        raise
    except Refusal as refusal:
        if refusal.code in CUT_SHORT:
            raise
        outcome.delivery = refused_by(refusal)
    return outcome


def _prefixed(say: Callable[[str], None], number: int, finds: Finds) -> Callable[[str], None]:
    return lambda sentence: say(f"Series {number} of {len(finds.series)}: {sentence}")
