"""A hospital's computer in journeys: planted files, its vault and command line, and what the server made of them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import numpy as np
import psycopg
import SimpleITK
from pydicom import dcmread

from tests.factories.world import PASSWORD
from tests.journeys.client import SEED, Api
from tests.product import ROOT, Product
from voxloop.volume.pack import PackEntry, decode_pack

PLANTED = {
    "PatientName": "Zwiebelfisch^Ottokar",
    "PatientID": "ZWIEBEL-0815",
    "PatientBirthDate": "19480229",
    "PatientAddress": "Buttergasse 7, Entenhausen",
    "StudyDescription": "Chest of Zwiebelfisch",
}


def start_with(product: Product) -> Api:
    product.manage("shell", "-v", "0", "-c", SEED.format(password=PASSWORD))
    for name in ("web", "default"):
        product.start(name)
    return Api(product.url, "datamanager")


class Site:
    """A hospital's computer: its vault and its command line."""

    def __init__(self, folder: Path, url: str, token: str) -> None:
        self.vault = folder / "vault"
        folder.mkdir(parents=True, exist_ok=True)
        self.options = ["--server", url, "--site", "a", "--campaign", "chest-ct", "--vault", str(self.vault), "--json"]
        self.environment = os.environ | {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
            "VOXLOOP_SITE_PASSPHRASE": "onions and ducks",
            "VOXLOOP_TOKEN": token,
        }
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)

    def start(self, source: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "annotation.intake.sending", str(source), *self.options]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env=self.environment, cwd=self.vault.parent, stdout=pipe, stderr=pipe, text=True
        )

    def send(self, source: Path) -> tuple[int, dict[str, Any]]:
        process = self.start(source)
        out, err = process.communicate(timeout=200)
        assert out, err
        return process.returncode, json.loads(out)


def scans_of(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.call("GET", "/scans/")["results"]
    return found


def hu_of(api: Api, scan: str) -> np.ndarray:
    index = api.call("GET", f"/scans/{scan}/volume")
    request = Request(urljoin(api.url, index["pack"]["url"]), headers={"Authorization": f"Token {api.token}"})
    with urlopen(request, timeout=60) as answer:
        data = answer.read()
    return decode_pack(data, PackEntry.from_json(index["pack"]), tuple(index["shape_zyx"]))


def plant_series(source: Path, folder: Path) -> list[Path]:
    """Copies of a real series with a made-up patient in every file."""
    folder.mkdir()
    paths = []
    for number, path in enumerate(sorted(source.rglob("*.dcm"))):
        header = dcmread(path)
        for keyword, value in PLANTED.items():
            setattr(header, keyword, value)
        paths.append(folder / f"{number}.dcm")
        header.save_as(paths[-1])
    return paths


def check_voxels(api: Api, scan: str, source: Path) -> None:
    """The scan's voxels are those that SimpleITK reads from the source."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(source)))
    assert np.array_equal(hu_of(api, scan), SimpleITK.GetArrayFromImage(reader.Execute()))


def holds(data: bytes, words: list[bytes]) -> bool:
    return any(word in data for word in words)


def check_that_nothing_names_a_patient(product: Product, vault: Path) -> None:
    """No planted word in any file of server and vault, nor in any table."""
    words = [value.encode() for value in PLANTED.values()]
    files = [path for folder in (product.state, vault) for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if "study" not in path.parts and holds(path.read_bytes(), words)]
    with psycopg.connect(product.environment["VOXLOOP_DATABASE"]) as database:
        tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = database.execute(f'SELECT t::text FROM "{table}" t').fetchall()
            assert not holds("\n".join(row for (row,) in rows).encode(), words), table
    assert len(tables) > 40
