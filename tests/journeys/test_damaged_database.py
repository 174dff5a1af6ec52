"""A damaged index page: it is reported, nothing wrong is served, and the index is rebuilt."""

import json
import shutil
import tempfile
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.journeys.test_killed_web import SEED, Client
from tests.product import Product
from voxloop.embedded.postgres import EmbeddedPostgres

INDEX = "work_assignment_pkey"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's user can access."""
    path = Path(tempfile.mkdtemp(prefix="voxloop-damage-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.fault("a damaged page of an index of the database")
def test_a_damaged_index_is_told_and_made_anew(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "postgres")
    server.start(within=120)
    product = Product(folder, server.url)
    try:
        product.manage("prepare_broker", "--migrate", VOXLOOP_OWNER_DATABASE=server.owner_url)
        pk = product.manage("shell", "-v", "0", "-c", SEED).stdout.split()[-1]
        with psycopg.connect(server.url) as connection:
            path = server.data / str(connection.execute("SELECT pg_relation_filepath(%s)", [INDEX]).fetchone()[0])
        server.stop()
        flip(path)
        server = EmbeddedPostgres(folder / "postgres")
        server.start(within=120)
        product.environment["VOXLOOP_DATABASE"] = server.url
        product.start("web")
        client = Client(product.url)
        with pytest.raises(urllib.error.HTTPError) as refused:
            client.call("GET", f"/api/v1/assignments/{pk}/")
        assert refused.value.code == 503
        assert json.loads(refused.value.read())["code"] == "database_damaged"
        with psycopg.connect(server.owner_url, autocommit=True) as connection:
            connection.execute(f"REINDEX INDEX {INDEX}")
        _, body = client.call("GET", f"/api/v1/assignments/{pk}/")
        assert json.loads(body)["id"] == pk
    finally:
        product.stop()
        server.stop()


def flip(path: Path) -> None:
    """Flip one byte of every page but the first, like a bad disk."""
    data = bytearray(path.read_bytes())
    for page in range(8192, len(data), 8192):
        data[page + 8000] ^= 0x40
    path.write_bytes(data)
