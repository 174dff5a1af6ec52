"""A hospital sends: real files, the real command, a real server, and a line that is cut."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import numpy as np
import psycopg
import SimpleITK
from pydicom import dcmread

from tests.factories.world import PASSWORD
from tests.faults import CUTS, FaultyLine
from tests.journeys.client import SEED, Api
from tests.product import ROOT, Product
from tests.real_data import real_data
from tests.unit.intake.series import make_series
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


def kill_first(started: list[subprocess.Popen[str]]) -> None:
    started[0].kill()


def holds(data: bytes, words: list[bytes]) -> bool:
    return any(word in data for word in words)


def test_a_real_series_with_a_name_ends_as_a_ready_scan(product: Product, tmp_path: Path) -> None:
    source = real_data("lidc/LIDC-IDRI-0001")
    api, folder = start_with(product), tmp_path / "study"
    folder.mkdir()
    paths = []
    for number, path in enumerate(sorted(source.rglob("*.dcm"))):
        header = dcmread(path)
        for keyword, value in PLANTED.items():
            setattr(header, keyword, value)
        paths.append(folder / f"{number}.dcm")
        header.save_as(paths[-1])
    beside = dcmread(paths[0])
    beside.SOPInstanceUID, beside.ImageType = "1.2.3.9", ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    beside.save_as(folder / "scout.dcm")
    page = dcmread(paths[0])
    page.SOPClassUID, page.SeriesInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.10"
    page.file_meta.MediaStorageSOPClassUID = page.SOPClassUID
    page.save_as(folder / "page.dcm")

    code, told = Site(tmp_path, product.url, api.token).send(folder)
    assert code == 0, told
    series = {outcome["delivery"]["state"]: outcome for outcome in told["series"]}
    assert set(series) == {"sent", "refused"}
    assert series["refused"]["delivery"]["code"] == "secondary_capture"
    assert "send the scanner's own series" in series["refused"]["delivery"]["reason"]
    assert [(aside["code"], aside["files"]) for aside in series["sent"]["set_aside"]] == [("localiser", 1)]
    (scan,) = scans_of(api)
    assert (scan["code"], scan["state"]) == (series["sent"]["delivery"]["scans"][0], "ready")

    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(source)))
    expected = SimpleITK.GetArrayFromImage(reader.Execute())
    # Below air lies padding, and above 3071 what this server may cut.
    assert np.array_equal(np.clip(hu_of(api, scan["id"]), -1024, 3071), np.clip(expected, -1024, 3071))
    words = [value.encode() for value in PLANTED.values()]
    kept = [path for path in product.state.rglob("*") if path.is_file()]
    at_site = [path for path in (tmp_path / "vault").rglob("*") if path.is_file()]
    assert {path.name for path in at_site} == {"lock", "sent.json", "vault.json"}
    assert not [path for path in (*kept, *at_site) if folder not in path.parents and holds(path.read_bytes(), words)]
    with psycopg.connect(product.environment["VOXLOOP_DATABASE"]) as database:
        tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = database.execute(f'SELECT t::text FROM "{table}" t').fetchall()
            assert not holds("\n".join(row for (row,) in rows).encode(), words), table
    assert len(tables) > 40


def test_what_is_cut_is_sent_again_and_not_twice(product: Product, tmp_path: Path) -> None:
    """The sender is killed at each cut; the next run goes on, and a third has nothing to do."""
    api = start_with(product)
    with FaultyLine(product.url, befalls=lambda request: request.path.endswith("/scans/upload")) as line:
        for number, fault in enumerate(CUTS):
            home = tmp_path / str(number)
            folder = home / "study"
            for seed in (2 * number + 1, 2 * number + 2):
                make_series(folder / str(seed), subject=f"Q-{seed}", seed=seed)
            site = Site(home, line.url, api.token)
            started: list[subprocess.Popen[str]] = []
            line.arm(fault, partial(kill_first, started))
            started.append(site.start(folder))
            started[0].communicate(timeout=100)
            assert started[0].returncode == -signal.SIGKILL
            assert [what for what, _ in line.befallen] == [*CUTS[: number + 1]]
            code, told = site.send(folder)
            assert code == 0, told
            assert [outcome["delivery"]["state"] for outcome in told["series"]] == ["sent", "sent"]
            code, told = site.send(folder)
            assert (code, [outcome["delivery"]["state"] for outcome in told["series"]]) == (0, ["sent before"] * 2)
            assert len(scans_of(api)) == 2 * number + 2, fault
            assert not list((site.vault / "outbox").iterdir())
    assert sorted(scan["code"] for scan in scans_of(api)) == [f"VX-A-{number:04d}" for number in range(1, 9)]
    assert {scan["state"] for scan in scans_of(api)} == {"ready"}
