"""A hospital sends: real files, the real command, a real server, and a line that is cut."""

import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.faults import CUTS, FaultyLine
from tests.journeys.site import (
    Site,
    check_that_nothing_names_a_patient,
    check_voxels,
    plant_series,
    scans_of,
    start_with,
)
from tests.product import Product
from tests.real_data import real_data
from tests.unit.intake.series import make_series


def kill_first(started: list[subprocess.Popen[str]]) -> None:
    started[0].kill()


def test_a_real_series_with_a_name_ends_as_a_ready_scan(product: Product, tmp_path: Path) -> None:
    source = real_data("lidc/LIDC-IDRI-0001")
    api, folder = start_with(product), tmp_path / "study"
    paths = plant_series(source, folder)
    beside = dcmread(paths[0])
    beside.SOPInstanceUID, beside.ImageType = "1.2.3.9", ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    beside.save_as(folder / "scout.dcm")
    page = dcmread(paths[0])
    page.SOPClassUID, page.SeriesInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.10"
    page.file_meta.MediaStorageSOPClassUID = page.SOPClassUID
    page.save_as(folder / "page.dcm")

    code, told = Site(tmp_path / "site", product.url, api.token).send(folder)
    assert code == 0, told
    series = {outcome["delivery"]["state"]: outcome for outcome in told["series"]}
    assert set(series) == {"sent", "refused"}
    assert series["refused"]["delivery"]["code"] == "secondary_capture"
    assert "send the scanner's own series" in series["refused"]["delivery"]["reason"]
    assert [(aside["code"], aside["files"]) for aside in series["sent"]["set_aside"]] == [("localiser", 1)]
    (scan,) = scans_of(api)
    assert (scan["code"], scan["state"]) == (series["sent"]["delivery"]["scans"][0], "ready")

    check_voxels(api, scan["id"], source)
    assert {path.name for path in (tmp_path / "site" / "vault").rglob("*") if path.is_file()} == {
        "lock",
        "sent.json",
        "vault.json",
    }
    check_that_nothing_names_a_patient(product, tmp_path / "site" / "vault")


@pytest.mark.timeout(900)
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
            started[0].communicate(timeout=200)
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
