"""Unreferenced objects are collected after a delay, never while they are being stored again."""

import os
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from pytest_django import Settings

from annotation.scans.models import Scan
from tests.factories.world import World
from voxloop.keeping.collect import collect_unreferenced
from voxloop.keeping.models import Unreferenced
from voxloop.kernel.clock import now
from voxloop.storage.folder import FolderStore
from voxloop.storage.store import open_store

pytestmark = pytest.mark.django_db


def test_what_is_named_again_is_kept(world: World, settings: Settings, own_state: Path) -> None:
    store = open_store(settings.STORAGE_URL)
    stray = store.put("packs", b"named again")
    old = (now() - timedelta(days=50)).timestamp()
    os.utime(cast(FolderStore, store).path_of(stray), (old, old))
    collect_unreferenced()
    Unreferenced.objects.update(since=now() - timedelta(days=31))
    # Stored again, as by an upload whose row is not written yet: kept because of its time in the store.
    store.put("packs", b"named again")
    assert not store.collect(stray, before=now() - timedelta(days=30))
    assert collect_unreferenced()["collected"] == 0
    store.get(stray)
    os.utime(cast(FolderStore, store).path_of(stray), (old, old))
    Scan.objects.filter(pk=world.scans[0].pk).update(pack_key=stray)
    Unreferenced.objects.get_or_create(thing=stray, defaults={"since": now() - timedelta(days=31)})
    collect_unreferenced()
    assert not Unreferenced.objects.filter(thing=stray).exists()
    store.get(stray)
