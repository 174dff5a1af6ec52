"""Comparing two releases of 3,000 scans of which 5 % have another mask, over HTTP.

The lists are as frozen ones; the masks of 512×512×300 voxels are stored as the product's own chunks: a ball of radius
60 that was moved by 3 voxels in each direction, and a second segment."""

import json
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._rows import plain_row
from tests.product import ROOT, Product, new_database
from voxloop.embedded.testing import database

SCANS, CHANGED = 3000, 150
MOST_SECONDS = 10.0
SEED = f"""
import copy, json
import numpy as np
from annotation.datasets.exporters.manifest import manifest_hash
from annotation.datasets.models import Release
from annotation.masks.models import MaskRevision
from annotation.masks.store import hash_of, put_chunks, shown_counts
from tests.factories.world import build_world
from voxloop.accounts.tokens import issue_token
from voxloop.kernel.clock import now
from voxloop.kernel.ids import new_id
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import split_labelmap
world = build_world(scans=1)
shape = (300, 512, 512)

def mask(seed, moved):
    labels = np.zeros(shape, np.uint8)
    z, y, x = np.ogrid[-60:60, -60:60, -60:60]
    at = np.array([80, 150, 150]) + seed % 90 + 3 * moved
    labels[tuple(slice(n - 60, n + 60) for n in at)] = x**2 + y**2 + z**2 < 3600
    if moved:
        labels[20:40, 400:430, 400:430] = 2
    names, counts = put_chunks(split_labelmap(labels))
    chunks = {{key: name for key, name in names.items() if name}}
    revision = MaskRevision.objects.create(scan=world.scans[0], layer="findings", kind="correction",
        author=world["annotator"], chunks=chunks, content_hash=hash_of(chunks, shape),
        voxel_counts=shown_counts(counts))
    return dict(revision=str(revision.pk), content_hash=revision.content_hash, voxel_counts=revision.voxel_counts,
        is_empty=False, start=dict(kind="blank", model="", revision=None))

def freeze(name, scans):
    definition = world.campaign.schema.definition
    manifest = dict(release=dict(name=name), schema=dict(definition=definition), layers=["findings"], scans=scans)
    return Release.objects.create(campaign=world.campaign, name=name, state="frozen", manifest=manifest,
        manifest_hash=manifest_hash(manifest), frozen_at=now())

scans = [dict(id=str(new_id()), code=f"VX-A-{{n:04d}}", site="a", split="train", subject=f"S{{n}}", modality="CT",
    **Geometry.axial(shape, (1.0, 0.7, 0.7)).to_json(), volume_sha256="0" * 64, uids={{}}, author="annotator",
    reviewer="reviewer", round=1, round_id=str(new_id()), verdict="approved", approved_at=now().isoformat(),
    answers=dict(quality="good"), layers=dict(findings=dict(revision=None, content_hash=f"{{n:064d}}",
    voxel_counts={{"1": n}}, is_empty=False, start=dict(kind="blank", model="", revision=None))))
    for n in range({SCANS})]
for n in range({CHANGED}):
    scans[n]["layers"]["findings"] = mask(n, False)
before = freeze("before", scans)
later = copy.deepcopy(scans)
for n in range({CHANGED}):
    later[n]["layers"]["findings"] = mask(n, True)
after = freeze("after", later)
print(json.dumps([str(before.pk), str(after.pk), issue_token(user=world["datamanager"])[1]]))
"""


def run() -> Iterator[dict[str, Any]]:
    """Rows of seconds."""
    with database(ROOT), new_database() as url, tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder), url)
        product.manage("prepare_installation")
        before, after, token = json.loads(product.manage("shell", "-v", "0", "-c", SEED).stdout.splitlines()[-1])
        product.start("web")
        try:
            product.wait_until_up()
            address = f"{product.url}/api/v1/releases/{after}/changes?since={before}"
            asked = urllib.request.Request(address, headers={"Authorization": f"Token {token}"})
            seconds = []
            for _ in range(3):
                started = time.monotonic()
                with urllib.request.urlopen(asked, timeout=120) as answer:
                    told = json.load(answer)
                seconds.append(time.monotonic() - started)
        finally:
            product.stop()
    changed = sum(one["change"] == "changed" for one in told["scans"])
    if (changed, told["unchanged"]) != (CHANGED, SCANS - CHANGED):
        raise RuntimeError(f"{changed} changed, {told['unchanged']} as before")
    yield plain_row(
        "releases", f"compare {SCANS} scans, {CHANGED} changed: longest of 3", max(seconds), "s", MOST_SECONDS
    )
