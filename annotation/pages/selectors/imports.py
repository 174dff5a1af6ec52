"""What an import did: what came in, what was refused and where that is in what was sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from annotation.intake.conversion import SET_ASIDE
from voxloop.jobs.models import Job
from voxloop.jobs.states import JobState

HEAD = ("outcome", "scan", "folder", "first_file", "files", "series_number", "code", "reason")


@dataclass
class Group:
    """Refused series with one reason; `series` are their entries in the job's result."""

    code: str
    reason: str
    series: list[Mapping[str, Any]] = field(default_factory=list)


def came_in(job: Job) -> list[Mapping[str, Any]]:
    """The scans of an import, as entries of the job's result."""
    return list(_result(job).get("scans", []))


def group_refused(job: Job) -> list[Group]:
    """The refused series of an import by reason, the most frequent reason first."""
    return _group(_refused(job))


def group_aside(job: Job) -> list[Group]:
    """The same for files that were set aside, because they are no part of their series' volume."""
    return _group(_aside(job))


def _group(rows: list[Mapping[str, Any]]) -> list[Group]:
    groups: dict[tuple[str, str], Group] = {}
    for one in rows:
        key = (one["code"], one["reason"])
        groups.setdefault(key, Group(*key)).series.append(one)
    return sorted(groups.values(), key=lambda group: -len(group.series))


def is_in_part(job: Job) -> bool:
    """Whether an import that ended well refused something."""
    return job.state == JobState.SUCCEEDED and bool(_refused(job))


def says(job: Job) -> str:
    """A job's one sentence; of an import, what came in."""
    if job.kind != Job.Kind.IMPORT_SCANS or job.state != JobState.SUCCEEDED:
        return job.error or job.message
    scans, refused = _result(job).get("scans", []), _refused(job)
    new = sum(bool(scan["new"]) for scan in scans)
    told = [f"{new} came in"] if new else []
    told += [f"{len(scans) - new} already here"] if len(scans) > new else []
    told += [f"{len(refused)} refused"] if refused else []
    files = sum(one["files"] for one in _aside(job))
    strays = f" {files} file{' was' if files == 1 else 's were'} set aside." if files else ""
    return f"{len(scans) + len(refused)} series: {', '.join(told) or 'nothing came in'}.{strays}"


def table_of(job: Job) -> Iterator[tuple[object, ...]]:
    """One row for each series of an import, in the order of `HEAD`."""
    for scan in _result(job).get("scans", []):
        yield "came in" if scan["new"] else "already here", scan["code"], "", "", "", "", "", ""
    refused = _result(job).get("refused", [])
    for one in sorted(refused, key=lambda one: (one.get("folder", ""), one.get("file", ""))):
        number = one.get("series_number")
        yield (
            "set aside" if one["code"] == SET_ASIDE else "refused",
            one["scan"] or "",
            one.get("folder", ""),
            one.get("file", ""),
            one["files"] or "",
            "" if number is None else number,
            one["code"],
            one["reason"],
        )


def _refused(job: Job) -> list[Mapping[str, Any]]:
    return [one for one in _result(job).get("refused", []) if one["code"] != SET_ASIDE]


def _aside(job: Job) -> list[Mapping[str, Any]]:
    return [one for one in _result(job).get("refused", []) if one["code"] == SET_ASIDE]


def _result(job: Job) -> Mapping[str, Any]:
    return job.result if job.kind == Job.Kind.IMPORT_SCANS and isinstance(job.result, dict) else {}
