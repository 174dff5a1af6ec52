"""A small campaign made through the services, so that all states in it are legal."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from annotation.intake.rekeying import SeriesFacts
from annotation.intake.storing import VolumeFiles, store_scan
from annotation.masks.answers import save_answers
from annotation.masks.services import begin, save_message
from annotation.masks.states import EMPTY
from annotation.reviews.claims import claim_round
from annotation.reviews.services import approve_round, submit_assignment
from annotation.scans.models import Scan, Site
from annotation.scans.services import create_site, set_site_membership
from annotation.work.batches import create_batch, publish_batch
from annotation.work.campaigns import create_campaign, set_member
from annotation.work.models import Assignment, Batch, Campaign
from annotation.work.people import invite_person
from annotation.work.standard import CHEST_CT
from voxloop.accounts.actors import SystemActor
from voxloop.accounts.models import User
from voxloop.accounts.roles import Role
from voxloop.kernel.clock import now
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import encode_message, split_labelmap
from voxloop.volume.pack import pack_volume

PASSWORD = "long enough for a test 1"
SHAPE = (40, 48, 56)  # not a multiple of 32 on any axis


@dataclass
class World:
    """References to the created objects."""

    campaign: Campaign
    sites: dict[str, Site]
    people: dict[str, User]
    scans: list[Scan] = field(default_factory=list)

    def __getitem__(self, name: str) -> User:
        return self.people[name]


def build_world(*, scans: int = 6, shape_zyx: tuple[int, int, int] = SHAPE) -> World:
    """Three sites (a, b for training, c held out), one person per role, a second annotator and an outsider."""
    admin = invite_person(username="admin", password=PASSWORD, actor=SystemActor.OPERATOR, is_administrator=True)
    sites = {
        code: create_site(code=code, name=f"Site {code}", split=split, actor=admin)
        for code, split in (("a", "train"), ("b", "train"), ("c", "validation"))
    }
    campaign = create_campaign(
        name="Chest CT",
        slug="chest-ct",
        definition=CHEST_CT,
        actor=admin,
        blank_share=0.0,
        seen_policy="off",
        proposed_policy="off",
    )
    world = World(campaign, sites, {"admin": admin})
    roles = {
        "annotator": Role.ANNOTATOR,
        "annotator2": Role.ANNOTATOR,
        "reviewer": Role.REVIEWER,
        "reviewer2": Role.REVIEWER,
        "coordinator": Role.COORDINATOR,
        "datamanager": Role.DATA_MANAGER,
    }
    for name, role in roles.items():
        world.people[name] = invite_person(
            username=name, password=PASSWORD, actor=admin, roles=[(campaign, role)], sites=sites.values()
        )
    world.people["outsider"] = invite_person(username="outsider", password=PASSWORD, actor=admin)
    codes = list(sites)
    for number in range(scans):
        world.scans.append(make_scan(world, codes[number % len(codes)], seed=number, shape_zyx=shape_zyx))
    return world


def make_scan(world: World, site: str, *, seed: int, shape_zyx: tuple[int, int, int] = SHAPE) -> Scan:
    """A ready scan of noise with a bright ball: the voxels differ by seed."""
    return add_scan(world, site, volume_of(seed, shape_zyx), Geometry.axial(shape_zyx, (2.5, 1.0, 1.0)), number=seed)


def add_scan(
    world: World, site: str, hu_zyx: np.ndarray[Any, np.dtype[np.int16]], geometry: Geometry, *, number: int
) -> Scan:
    """A ready scan of these voxels, packed and stored as intake does it."""
    packed = pack_volume(hu_zyx, geometry, "CT", threads=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Any] = {"pack": packed.pack, "preview": packed.preview, "limit": packed.limit}
        for part, data in parts.items():
            if data is not None:
                (folder / part).write_bytes(data)
        scan, _ = store_scan(
            site=world.sites[site],
            campaign=world.campaign,
            series=SeriesFacts(
                f"S{number}", f"2.25.{number + 1}", f"2.25.{number + 1}.1", "CT", "CT chest", {}, f"{number:064d}"
            ),
            volume=VolumeFiles(
                packed.index.to_json(), folder / "pack", folder / "preview", folder / "limit" if packed.limit else None
            ),
            actor=world["admin"],
            check=lambda: None,
        )
    return scan


def volume_of(seed: int, shape_zyx: tuple[int, int, int] = SHAPE) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The HU voxels of `make_scan`."""
    noise = np.random.default_rng(seed).normal(-850, 30, shape_zyx)
    noise[ball(shape_zyx)] += 800
    return noise.astype(np.int16)


def ball(shape_zyx: tuple[int, int, int] = SHAPE, radius: float = 9.0) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """A ball in the middle, in voxels."""
    grid = np.ogrid[tuple(slice(0, n) for n in shape_zyx)]
    return np.asarray(sum((g - n / 2) ** 2 for g, n in zip(grid, shape_zyx, strict=True)) < radius**2)


def publish(world: World, *, to: str | None = "annotator", size: int = 3) -> Batch:
    """A published batch for a person, or (None) in the pool."""
    batch = create_batch(
        campaign=world.campaign, actor=world["coordinator"], size=size, assignee=world[to] if to else None
    )
    return publish_batch(batch_id=batch.pk, actor=world["coordinator"])


def first_of(batch: Batch) -> Assignment:
    """The first assignment of a batch that is read."""
    rows = batch.assignments.exclude(stage=Assignment.Stage.REVIEW)  # a claimed review lies in the batch, too
    return rows.select_related("scan", "campaign").order_by("position").first()


def mask_message(shape_zyx: tuple[int, int, int] = SHAPE, segment: int = 1, radius: float = 9.0) -> bytes:
    """A save of the ball as one segment."""
    labels = ball(shape_zyx, radius).astype(np.uint8) * np.uint8(segment)
    return encode_message("findings", shape_zyx, split_labelmap(labels), [{"id": str(uuid4()), "tool": "sphere"}])


def label(world: World, assignment: Assignment, *, who: str = "annotator", is_empty: bool = False) -> None:
    """Open, draw a ball (or nothing) and answer the questions; the answers fit."""
    actor = world[who]
    begin(assignment_id=assignment.pk, actor=actor)
    if not is_empty:
        head = assignment.heads.filter(layer="findings").first()
        save_message(
            assignment_id=assignment.pk,
            layer="findings",
            message=mask_message(tuple(assignment.scan.shape_zyx)),
            if_match=str(head.revision_id) if head else EMPTY,
            key=uuid4(),
            actor=actor,
        )
    values: dict[str, Any] = {"diagnosis": "no_signs" if is_empty else "covid19", "quality": "good"}
    if is_empty:
        values["confirmed_empty"] = True
    save_answers(assignment_id=assignment.pk, values=values, actor=actor)


def approve(world: World, assignment: Assignment, *, who: str = "annotator", reviewer: str = "reviewer") -> Any:
    """Submit labelled work and approve it."""
    found = submit_assignment(assignment_id=assignment.pk, actor=world[who], acknowledged=["mask_outside_lung"])
    claim_round(round_id=found.pk, actor=world[reviewer])
    return approve_round(round_id=found.pk, actor=world[reviewer], signed_at=now())


def add_role(world: World, name: str, role: str) -> None:
    """Give a person one more role and every site."""
    set_member(campaign=world.campaign, user=world[name], role=role, actor=world["admin"])
    for site in world.sites.values():
        set_site_membership(user=world[name], site=site, is_member=True, actor=world["admin"])


def invite_readers(world: World, count: int) -> list[User]:
    """Invite additional annotators, who may see every site."""
    return [
        invite_person(
            username=f"reader{n}",
            password=PASSWORD,
            actor=world["admin"],
            roles=[(world.campaign, Role.ANNOTATOR)],
            sites=world.sites.values(),
        )
        for n in range(count)
    ]
