"""Searches for studies, series and instances (QIDO-RS): records of the catalogue, matched and paged."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from annotation.dicomweb.attributes import (
    ALL_INSTANCE,
    ALL_SERIES,
    ALL_STUDY,
    INSTANCE,
    SERIES,
    STUDY,
    chosen_of,
    instance_record,
    series_record,
    study_record,
)
from annotation.dicomweb.catalogue import Catalogue, HeldInstance, HeldSeries, open_catalogue
from annotation.dicomweb.query import UID, UIDS, Query, Record, read_query
from voxloop.accounts.models import User
from voxloop.kernel.errors import TooLarge

MOST_LOOKED_AT = 200_000  # instances, whose UIDs are read from the database to match one of them
Found = tuple[list[dict[str, Any]], list[str]]


def search_studies(user: User, pairs: Iterable[tuple[str, str]], root: str) -> Found:
    """Matching studies as records, and warnings. Raises Forbidden, ParseError."""
    query = read_query(pairs, ALL_STUDY, {})
    studies = open_catalogue(user, _study_uids(query)).studies().values()
    found = [record for record in (study_record(series, root) for series in studies) if query.matches(record)]
    page, warnings = query.page(found)
    return [chosen_of(record, query, STUDY) for record in page], warnings


def search_series(user: User, pairs: Iterable[tuple[str, str]], root: str, path: Mapping[str, str]) -> Found:
    """Matching series; `path` are UIDs of the address. Outside a study their study's attributes come with them."""
    query = read_query(pairs, (*ALL_STUDY, *ALL_SERIES), path)
    found = list(_matching_series(open_catalogue(user, _study_uids(query)), query, root))
    page, warnings = query.page(found)
    levels = (SERIES,) if path else (STUDY, SERIES)
    return [chosen_of(record, query, *levels) for record, _ in page], warnings


def search_instances(user: User, pairs: Iterable[tuple[str, str]], root: str, path: Mapping[str, str]) -> Found:
    """Matching instances; with the attributes of their study and series unless the address names those. Raises TooLarge
    (`search_too_broad`)."""
    query = read_query(pairs, (*ALL_STUDY, *ALL_SERIES, *ALL_INSTANCE), path)
    catalogue = open_catalogue(user, _study_uids(query))
    series = [(record, one) for record, parts in _matching_series(catalogue, query, root) for one in parts]
    levels = [INSTANCE]
    levels += [] if "StudyInstanceUID" in path else [STUDY]
    levels += [] if "SeriesInstanceUID" in path else [SERIES]
    if set(query.filters) & (set(ALL_INSTANCE) - set(ALL_STUDY) - set(ALL_SERIES)):
        if sum(one.count for _, one in series) > MOST_LOOKED_AT:
            raise TooLarge(
                "This search looks at too many instances; name a study or a patient.", code="search_too_broad"
            )
        records = _instance_records(catalogue, series, root)
        page, warnings = query.page([record for record in records if query.matches(record)])
        return [chosen_of(record, query, *levels) for record in page], warnings
    # Nothing about the instances themselves is asked for: only those of this page are looked at.
    begin, shown, wanted = 0, [], set()
    for record, one in series:
        inside = range(max(query.offset - begin, 0), min(query.end - begin, one.count))
        if inside:
            shown.append((record, one))
            wanted |= {(one.uid, one.scan.pk, k) for k in inside}
        begin += one.count
    paged = _instance_records(catalogue, shown, root, wanted)
    return [chosen_of(record, query, *levels) for record in paged], query.warn(begin)


def _matching_series(
    catalogue: Catalogue, query: Query, root: str
) -> Iterator[tuple[dict[str, Any], Sequence[HeldSeries]]]:
    for series in catalogue.studies().values():
        study = study_record(series, root)
        if not query.matches({**study, "RetrieveURL": ""} if "RetrieveURL" in query.filters else study):
            continue
        parts: dict[str, list[HeldSeries]] = defaultdict(list)
        for one in series:
            parts[one.uid].append(one)
        for of_one in parts.values():
            record = study | series_record(of_one, root)
            if query.matches(record):
                yield record, of_one


def _instance_records(
    catalogue: Catalogue,
    series: Sequence[tuple[Record, HeldSeries]],
    root: str,
    wanted: set[tuple[str, Any, int]] | None = None,
) -> Iterator[dict[str, Any]]:
    above = {one.uid: record for record, one in series}  # the scans of one series share it
    for instance in catalogue.instances(one for _, one in series):
        if wanted is None or _key(instance) in wanted:
            yield {**above[instance.series.uid], **instance_record(instance, root)}


def _key(instance: HeldInstance) -> tuple[str, Any, int]:
    return instance.series.uid, instance.series.scan.pk, instance.k


def _study_uids(query: Query) -> list[str] | None:
    """The studies that a search is about; None for all."""
    asked = query.filters.get("StudyInstanceUID", "")
    return [uid for uid in UIDS.split(asked) if UID.fullmatch(uid)] if asked.strip("*") else None
