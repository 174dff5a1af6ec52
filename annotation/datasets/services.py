"""Create, freeze, export, publish and yank releases."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.text import slugify

from annotation.datasets.choosing import check_filters
from annotation.datasets.exporters.choices import known_formats
from annotation.datasets.exporters.manifest import manifest_hash
from annotation.datasets.freezing import freeze_list, list_items
from annotation.datasets.licences import LONGEST, canonical_licence
from annotation.datasets.models import Export, Release, ReleaseItem
from annotation.datasets.parts import choose_part, say_part, suffix_of
from annotation.datasets.permissions import require_data_manager, require_sites
from annotation.datasets.selectors import list_candidates, visible_releases
from annotation.datasets.states import EXPORTABLE, RELEASE, ReleaseState
from annotation.masks.wholeness import check_masks
from annotation.reviews.models import ReviewRound
from annotation.work.models import Campaign, CampaignScan
from voxloop.accounts.models import User
from voxloop.audit.services import advance, record
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.jobs.services import enqueue
from voxloop.jobs.states import JobState
from voxloop.kernel.clock import now
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound


@transaction.atomic
def create_release(
    *,
    campaign: Campaign,
    name: str,
    actor: User,
    notes: str = "",
    licence: str = "",
    **filters: Any,
) -> Release:
    """Start a draft of everything approved in the campaign, or of what the filters take (`choosing`). Raises Forbidden,
    Conflict (`release_taken`), Invalid (`bad_release`, `unknown_site`, `bad_licence`, what `check_filters` raises)."""
    require_data_manager(actor, campaign)
    if not slugify(name) or not name.isprintable() or set("/\\") & set(name):
        raise Invalid(
            "Give the release a name with letters or digits, without slashes and signs that cannot be seen.",
            code="bad_release",
        )
    taken = Release.objects.filter(campaign=campaign).values_list("name", flat=True)
    if slugify(name) in {slugify(other) for other in taken}:
        raise Conflict(f"This campaign already has a release called {name}.", code="release_taken")
    known = CampaignScan.objects.filter(campaign=campaign, scan__site__memberships__user=actor)
    unknown = set(filters.get("sites") or ()) - set(known.values_list("scan__site__code", flat=True))
    if unknown:
        raise Invalid(f"You have no site {min(unknown)} in this campaign.", code="unknown_site")
    if len(licence) > LONGEST:
        raise Invalid(f"The licence is longer than {LONGEST:,} characters; name it instead.", code="bad_licence")
    release = Release.objects.create(
        campaign=campaign,
        name=name,
        notes=notes,
        licence=canonical_licence(licence),
        created_by=actor,
        filters=check_filters(campaign, filters),
    )
    record(actor=actor, action="release.created", target=release, new={"name": name, **release.filters})
    return release


@transaction.atomic
def discard_release(*, release_id: UUID, actor: User) -> str:
    """Throw a draft away and return its name; the log keeps that it was there. Raises NotFound, Forbidden, Conflict
    (`state_conflict`) once it is frozen."""
    release = _lock(release_id, actor)
    if release.state != ReleaseState.DRAFT or release.exports.exists():
        raise Conflict("Only a draft can be discarded; what is frozen is yanked, and stays.", code="state_conflict")
    record(actor=actor, action="release.discarded", target=release, old={"name": release.name, **release.filters})
    release.delete()
    return release.name


@transaction.atomic
def freeze_release(*, release_id: UUID, actor: User) -> Release:
    """Fix the list of approved revisions, the split and every hash permanently.

    Raises Conflict: `release_empty`, `split_moved` (a site was on another side in an earlier release),
    `signature_broken`; Damaged (`mask_damaged`); Forbidden for a site that is not the actor's.
    """
    release = _lock(release_id, actor)
    RELEASE.check(release.state, ReleaseState.FROZEN)
    rounds = list(list_candidates(release))
    if not rounds:
        raise Conflict("Nothing approved fits this release yet.", code="release_empty")
    require_sites(actor, {found.annotation.scan.site_id for found in rounds})
    _require_same_split(release, rounds)
    items = list_items(release, rounds)
    check_masks(item.revision for item in items)
    ReleaseItem.objects.bulk_create(items)
    frozen_at = now().replace(microsecond=0)
    frozen = freeze_list(release, rounds, frozen_at)
    digest = manifest_hash(frozen)
    advance(
        release,
        ReleaseState.FROZEN,
        table=RELEASE,
        actor=actor,
        manifest=frozen,
        manifest_hash=digest,
        frozen_at=frozen_at,
    )
    release.refresh_from_db()
    if manifest_hash(release.manifest or {}) != digest:
        raise RuntimeError("the database does not return the manifest as it was frozen")
    return release


def _require_same_split(release: Release, rounds: Sequence[ReviewRound]) -> None:
    sides = {found.annotation.scan.site_id: found.annotation.scan.site for found in rounds}
    moved = (
        ReleaseItem.objects.filter(release__campaign=release.campaign_id, scan__site__in=sides)
        .exclude(release__state=ReleaseState.DRAFT)
        .exclude(split=F("scan__site__split"))
        .select_related("scan__site")
        .first()
    )
    if moved is not None:
        raise Conflict(
            f"Site {moved.scan.site.code} was on the {moved.split} side in an earlier release and is on the "
            f"{moved.scan.site.split} side now; a site never changes sides.",
            code="split_moved",
        )


@transaction.atomic
def publish_release(*, release_id: UUID, actor: User) -> Release:
    """Mark a frozen release as the one to use."""
    release = _lock(release_id, actor)
    advance(release, ReleaseState.PUBLISHED, table=RELEASE, actor=actor)
    return release


@transaction.atomic
def yank_release(*, release_id: UUID, actor: User, why: str) -> Release:
    """Mark a release as not to be used any more, with a reason; its content stays."""
    release = _lock(release_id, actor)
    advance(release, ReleaseState.YANKED, table=RELEASE, actor=actor, why=why)
    return release


@transaction.atomic
def request_export(
    *,
    release_id: UUID,
    actor: User,
    destination: str = "",
    formats: Sequence[str] = (),
    sides: Sequence[str] = (),
    sites: Sequence[str] = (),
    by_operator: bool = False,
) -> Export:
    """Enqueue the export of a frozen release, or of its scans on these sides and of these sites (none: all).

    `destination`: "" for the server's own folder, or one of the buckets of `EXPORT_BUCKETS`. The command line
    (`by_operator`) may name any folder or bucket: whoever runs it could write there anyway. `formats` come besides
    NIfTI and DICOM SEG. Returns an export in progress of the same formats to the same destination instead of starting
    a second one. Raises NoSpace, Invalid (`unknown_format`, what `choose_part` raises), Conflict (`not_frozen`,
    `export_running`)."""
    release = _lock(release_id, actor)
    if release.state not in EXPORTABLE:
        raise Conflict(f"This release is {release.state}; only a frozen one can be exported.", code="not_frozen")
    chosen = known_formats(formats)
    part = choose_part(release.manifest or {}, sides, sites)
    address = destination or settings.EXPORT_ROOT.resolve().as_uri()
    if destination and not by_operator and destination not in settings.EXPORT_BUCKETS:
        raise Forbidden("Exports go to the server's own folder or to a bucket that it knows.", code="bad_destination")
    if not address.startswith(("file://", "s3://")):
        raise Invalid("An export goes to a folder or to s3://bucket/prefix.", code="bad_destination")
    at_work = release.exports.filter(destination=address, job__state__in=[JobState.QUEUED, JobState.RUNNING])
    running = next((export for export in at_work if export.part == part), None)
    if running is not None and running.formats == chosen:
        return running
    if running is not None:
        raise Conflict(
            "An export of this release with other formats is still being written; wait for it, then ask again.",
            code="export_running",
        )
    require_room()
    export = Export.objects.create(release=release, destination=address, formats=chosen, part=part, created_by=actor)
    export.job = enqueue(
        Job.Kind.EXPORT_RELEASE,
        payload={"export": str(export.pk), "name": f"{release.name}, {say_part(part)}" if part else release.name},
        key=f"export:{export.pk}",
        actor=actor,
    )
    export.save(update_fields=["job"])
    record(
        actor=actor,
        action="release.export_requested",
        target=release,
        new={"export": str(export.pk), "destination": address, "formats": chosen, "part": part},
    )
    return export


def folder_name(release: Release) -> str:
    """The folder name of an exported release."""
    return f"{release.campaign.slug}-{slugify(release.name)}"


def folder_of_export(export: Export) -> str:
    """The folder name of an export; that of a part says so."""
    return folder_name(export.release) + suffix_of(export.part)


def folder_of(destination: str) -> Path:
    """The folder of a `file://` destination."""
    return Path(unquote(urlsplit(destination).path))


def _lock(release_id: UUID, actor: User) -> Release:
    release = visible_releases(actor).select_for_update(of=("self",)).filter(pk=release_id).first()
    if release is None:
        raise NotFound
    require_data_manager(actor, release.campaign)
    return release
