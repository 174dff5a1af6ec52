"""Instances sent by STOW-RS go the way of every upload: one zip in the object store, and an import job."""

import os
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from django.core.files import File

from annotation.dicomweb.related import Read, spool_parts
from annotation.dicomweb.request import Looked, LookRequest, LookResult
from annotation.intake.child import CRASHED, ENDS, child_environment
from annotation.intake.limits import Limits
from annotation.intake.services import check_may_import, receive_upload
from annotation.intake.uploads import PREFIX
from annotation.scans.models import Site
from annotation.scans.selectors import visible_sites
from annotation.work.models import Campaign
from annotation.work.permissions import OVERSEERS, campaigns_with_role
from voxloop.accounts.models import User
from voxloop.child import Bounds, ChildError
from voxloop.child.outside import run_child
from voxloop.jobs.models import Job
from voxloop.jobs.room import require_room
from voxloop.jobs.scratch import of_process
from voxloop.kernel.errors import FULL, Forbidden, Invalid, NoSpace, NotFound

MEMORY_BYTES = 4 << 30
Target = TypeVar("Target")
TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Received:
    """What became of a request: the files that wait in `job` (None: none), and those refused."""

    accepted: Sequence[Looked]
    refused: Sequence[Looked]
    job: Job | None


def find_target(user: User, campaign: str, site: str) -> tuple[Campaign, Site]:
    """Where a person's instances go; what is not named must be the only one. Raises Forbidden, NotFound, Invalid
    (`which_campaign`, `which_site`)."""
    campaigns, sites = campaigns_with_role(user, *OVERSEERS), visible_sites(user)
    if not campaigns.exists():
        raise Forbidden("Only a data manager or coordinator of a campaign stores scans.")
    target = _only(list(campaigns.filter(slug=campaign) if campaign else campaigns[:2]), "campaign", "slug", campaign)
    at = _only(list(sites.filter(code=site) if site else sites[:2]), "site", "code", site)
    check_may_import(at, target, user)
    return target, at


def receive_instances(
    read: Read, boundary: str, *, campaign: Campaign, site: Site, actor: User, study_uid: str = ""
) -> Received:
    """Spool the parts of a body, look at each, and give those that may come in to an import job. A series of which one
    file is refused is refused whole: the rest would be a volume with a hole. `study_uid`: no other study is taken.
    Raises ParseError, Invalid, NoSpace, StorageAway."""
    require_room()
    folder = of_process(PREFIX)
    try:
        (folder / "parts").mkdir(parents=True, mode=0o700)
        paths = spool_parts(read, boundary, folder / "parts", Limits())
        if not paths:
            raise Invalid("The request holds no instance.", code="nothing_found")
        accepted, refused = _sort(_look(paths, folder / "look"), study_uid)
        if not accepted:
            return Received([], refused, None)
        job = _send(accepted, folder, campaign=campaign, site=site, actor=actor)
        return Received(accepted, refused, job)
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _send(accepted: Iterable[Looked], folder: Path, *, campaign: Campaign, site: Site, actor: User) -> Job:
    packed = folder / "instances.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for one in accepted:
            archive.write(folder / "parts" / one.name, one.name)
    shutil.rmtree(folder / "parts")
    with packed.open("rb") as handle:
        upload = File(handle, name="instances.zip")
        return receive_upload(upload=upload, site=site, campaign=campaign, actor=actor)


def _sort(files: Sequence[Looked], study_uid: str) -> tuple[list[Looked], list[Looked]]:
    """Files that may come in, and those refused, with their series."""
    broken = {one.series_uid for one in files if one.code and one.series_uid}
    accepted, refused = [], []
    for one in files:
        if one.code:
            refused.append(one)
        elif one.series_uid in broken:
            refused.append(one.refuse("series_refused", "Another file of its series is refused."))
        elif study_uid and one.study_uid != study_uid:
            refused.append(one.refuse("other_study", "It belongs to another study than the address names."))
        else:
            accepted.append(one)
    return accepted, refused


def _look(paths: Sequence[Path], folder: Path) -> Sequence[Looked]:
    folder.mkdir(mode=0o700)
    try:
        return run_child(
            "annotation.dicomweb.look",
            LookRequest([str(path.resolve()) for path in paths]),
            LookResult,
            folder=folder,
            environment=child_environment(folder),
            on_look=lambda lines: None,
            bounds=Bounds(
                memory_bytes=MEMORY_BYTES,
                cpu_s=int(TIMEOUT_S * (os.cpu_count() or 1)),
                file_bytes=Limits().most_file_bytes,
            ),
            timeout_s=TIMEOUT_S,
        ).files
    except ChildError as end:
        if end.code == "no_space":
            raise NoSpace from end
        code, sentence = ENDS.get(end.code, CRASHED)
        raise Invalid(sentence.format(signal=end.signal), code=code) from end


def _only(found: list[Target], what: str, field: str, named: str) -> Target:
    if len(found) == 1:
        return found[0]
    if named or not found:
        raise NotFound(f"There is no such {what}, or you may not send to it.")
    raise Invalid(f"Say which {what} the instances are for: ?{what}= and its {field}.", code=f"which_{what}")
