"""The studies, series and instances that a person may read, made of scans and approved masks in memory.

UIDs that are not stored (NIfTI) are derived, so they cannot be searched in SQL; a campaign has thousands of scans and
not millions, and the number of queries does not depend on it (docs/adr/0049)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from annotation.datasets.exporters.dicom_source import SERIES_NUMBER, Source, segmentation_uids, source_of
from annotation.dicomweb.permissions import require_manager
from annotation.dicomweb.selectors import facts_of, visible_masks, visible_scans
from annotation.masks.store import hash_of
from annotation.reviews.models import RoundMask
from annotation.scans.models import Scan
from annotation.scans.volumes import ready_volume
from voxloop.accounts.models import User
from voxloop.kernel.errors import NotFound


@dataclass(frozen=True)
class HeldSeries:
    """One series: the slices of a scan, or (with a `mask`) one segmentation of it. `source` has no UIDs of slices."""

    scan: Scan
    source: Source
    uid: str
    number: int
    mask: RoundMask | None = None
    mask_uid: str = ""  # SOP Instance UID of the segmentation

    @property
    def study_uid(self) -> str:
        """Study Instance UID."""
        return self.source.study_uid

    @property
    def modality(self) -> str:
        """As DICOM calls it."""
        return "SEG" if self.mask else self.scan.modality

    @property
    def count(self) -> int:
        """How many instances it has."""
        return 1 if self.mask else ready_volume(self.scan).shape_zyx[0]

    @property
    def layer(self) -> Mapping[str, Any]:
        """The layer of the label schema that the segmentation is of."""
        assert self.mask is not None  # noqa: S101 - asked of segmentations only
        layers = self.mask.round.annotation.campaign.schema.definition["layers"]
        return next((one for one in layers if one["name"] == self.mask.layer), {"name": self.mask.layer})

    @property
    def description(self) -> str:
        """Series Description."""
        return (
            f"Segmentation: {self.layer.get('title', self.mask.layer)}"[:64]
            if self.mask
            else self.scan.description[:64]
        )


@dataclass(frozen=True)
class HeldInstance:
    """One SOP instance: slice `k` of a scan, or (k = 0) a segmentation."""

    series: HeldSeries
    uid: str
    k: int


@dataclass
class Catalogue:
    """Every series that a person may read, by study; `source_of_scan` reads the UIDs of slices when they are needed."""

    series: Sequence[HeldSeries]
    _sources: dict[UUID, Source] = field(default_factory=dict)

    def studies(self) -> Mapping[str, Sequence[HeldSeries]]:
        """The series of each study, by its UID."""
        found: dict[str, list[HeldSeries]] = defaultdict(list)
        for one in self.series:
            found[one.study_uid].append(one)
        return found

    def find(self, study_uid: str, series_uid: str | None = None) -> list[HeldSeries]:
        """The series of a study, or those parts of one series. Raises NotFound."""
        found = [
            one for one in self.series if one.study_uid == study_uid and (series_uid is None or one.uid == series_uid)
        ]
        if not found:
            raise NotFound
        return found

    def find_instance(self, study_uid: str, series_uid: str, uid: str) -> HeldInstance:
        """One instance. Raises NotFound."""
        for series in self.find(study_uid, series_uid):
            for instance in self.instances([series]):
                if instance.uid == uid:
                    return instance
        raise NotFound

    def instances(self, series: Iterable[HeldSeries]) -> list[HeldInstance]:
        """The instances of some series, in their order."""
        listed = list(series)
        self._learn(one.scan for one in listed)
        found = []
        for one in listed:
            if one.mask:
                found.append(HeldInstance(one, one.mask_uid, 0))
            else:
                found += [
                    HeldInstance(one, uid, k)
                    for k, uid in enumerate(self.source_of_scan(one.scan).slice_uids(one.count))
                ]
        return found

    def source_of_scan(self, scan: Scan) -> Source:
        """The whole DICOM identity of a scan."""
        self._learn([scan])
        return self._sources[scan.pk]

    def _learn(self, scans: Iterable[Scan]) -> None:
        """One query for all that are not known yet."""
        wanted = {scan.pk: scan for scan in scans if scan.pk not in self._sources}
        if wanted:
            for pk, facts in facts_of(wanted).items():
                self._sources[pk] = _source_of(wanted[pk], facts)


def open_catalogue(user: User, study_uids: Collection[str] | None = None) -> Catalogue:
    """What this person may read, in a fixed order, of these studies or of all. Raises Forbidden."""
    require_manager(user)
    scans = visible_scans(user)
    if study_uids is not None:  # a scan without a stored study may be of any
        scans = scans.filter(Q(series__study__uid__in=study_uids) | Q(series=None))
    masks: dict[UUID, list[RoundMask]] = defaultdict(list)
    for mask in visible_masks(user, scans):
        masks[mask.round.annotation.scan_id].append(mask)
    series = []
    for scan in scans:
        source = _source_of(scan, {})
        series.append(HeldSeries(scan, source, source.series_uid, 1))
        for number, mask in enumerate(masks[scan.pk], start=SERIES_NUMBER):
            series_uid, uid = segmentation_uids(source, mask.layer, identity_of(mask, scan))
            series.append(HeldSeries(scan, source, series_uid, number, mask, uid))
    return Catalogue(sorted(series, key=lambda one: (one.source.subject, one.study_uid, one.scan.code, one.number)))


def identity_of(mask: RoundMask, scan: Scan) -> str:
    """What tells a segmentation: the approval, and the voxels."""
    voxels = mask.approved.content_hash if mask.approved else hash_of({}, ready_volume(scan).shape_zyx)
    return f"{mask.round_id} {voxels}"


def _source_of(scan: Scan, facts: Mapping[str, Any]) -> Source:
    uids = {"study": scan.series.study.uid, "series": scan.series.uid} if scan.series else {}
    if frame := facts.get("frame_of_reference_uid"):
        uids["frame_of_reference"] = frame
    subject = scan.subject.pseudonym if scan.subject else scan.code
    known = facts.get("sop_instance_uids") if scan.series_id else None
    return source_of(scan.code, subject, ready_volume(scan).shape_zyx[0], uids, known)
