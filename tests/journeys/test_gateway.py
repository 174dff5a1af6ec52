"""The gateway between a PACS and a server: dcmtk sends, the line is cut, the gateway is killed; nothing is lost or
doubled."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pynetdicom import AE
from pynetdicom.sop_class import CTImageStorage  # type: ignore[attr-defined]  # made at run time

from tests.faults import CUTS, FaultyLine
from tests.journeys.site import (
    Site,
    check_that_nothing_names_a_patient,
    check_voxels,
    plant_series,
    scans_of,
    start_with,
)
from tests.product import Product, free_port, wait_for
from tests.real_data import real_data
from tests.unit.intake.series import make_series

STORESCU = Path("/usr/bin/storescu")  # dcmtk's: pynetdicom brings a program of the same name
SETTLE_S = "6"


class Gateway:
    """The gateway's process; `kill` as a power cut would."""

    def __init__(self, site: Site) -> None:
        self.site, self.port = site, free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        options = [option for option in self.site.options if option != "--json"]
        command = [sys.executable, "-m", "annotation.intake.gateway", *options, "--port", str(self.port)]
        command += ["--peer", "PACS@127.0.0.1", "--settle", SETTLE_S]
        self.process = subprocess.Popen(
            command,
            env=self.site.environment | {"PYTHONUNBUFFERED": "1"},
            cwd=self.site.vault.parent,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "listens" in self.process.stdout.readline()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=40)
        return self.process.returncode

    def status(self) -> str:
        command = [sys.executable, "-m", "annotation.intake.gateway", "--status", "--vault", str(self.site.vault)]
        done = subprocess.run(command, env=self.site.environment, check=True, capture_output=True, text=True)
        return done.stdout

    def store(self, paths: list[Path]) -> int:
        """Send images as a PACS does; answers how many were acknowledged."""
        images = [dcmread(path) for path in paths]
        ae = AE("PACS")
        ae.add_requested_context(CTImageStorage, images[0].file_meta.TransferSyntaxUID)
        link = ae.associate("127.0.0.1", self.port, ae_title="VOXLOOP")
        assert link.is_established
        answers = [link.send_c_store(image).get("Status") for image in images]
        link.release()
        return answers.count(0)


@contextmanager
def gateway_of(product: Product, folder: Path, url: str, token: str) -> Iterator[Gateway]:
    gateway = Gateway(Site(folder, url, token))
    gateway.start()
    try:
        yield gateway
    finally:
        if gateway.process.poll() is None:
            gateway.kill()


def ready(api: Any, count: int) -> Any:
    scans = scans_of(api)
    return scans if len(scans) == count and {scan["state"] for scan in scans} == {"ready"} else None


@pytest.mark.timeout(900)
def test_dcmtk_sends_a_real_series_with_a_name(product: Product, tmp_path: Path) -> None:
    if not STORESCU.exists():
        pytest.skip("dcmtk's storescu is not here: apt-get install dcmtk")
    source = real_data("lidc/LIDC-IDRI-0001")
    api = start_with(product)
    plant_series(source, tmp_path / "study")
    with gateway_of(product, tmp_path / "site", product.url, api.token) as gateway:
        called = ["-aet", "PACS", "-aec", "VOXLOOP", "+sd", "127.0.0.1", str(gateway.port)]
        command = [str(STORESCU), *called, str(tmp_path / "study")]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        (scan,) = wait_for("the scan", lambda: ready(api, 1), seconds=200)
        wait_for("the count", lambda: "Images received: 133. Series sent: 1, waiting: 0." in gateway.status())
        assert gateway.status().startswith("The gateway is running.")
        assert gateway.stop() == 0
        assert gateway.status().startswith("The gateway is not running")
    check_voxels(api, scan["id"], source)
    check_that_nothing_names_a_patient(product, gateway.site.vault)


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_twice_through_cuts_and_kills(product: Product, tmp_path: Path) -> None:
    api = start_with(product)
    series = [make_series(tmp_path / "study" / str(n), subject=f"Q-{n}", seed=n) for n in range(2 + len(CUTS))]
    with (
        FaultyLine(product.url, befalls=lambda request: request.path.endswith("/scans/upload")) as line,
        gateway_of(product, tmp_path / "site", line.url, api.token) as gateway,
    ):
        # In the middle of a series: what was acknowledged stays, and the PACS sends all of it again.
        assert gateway.store(series[0][:3]) == 3
        gateway.kill()
        gateway.start()
        assert gateway.store(series[0]) == 8
        wait_for("the first scan", lambda: ready(api, 1), seconds=150)
        # Before it has settled.
        assert gateway.store(series[1]) == 8
        gateway.kill()
        gateway.start()
        wait_for("the second scan", lambda: ready(api, 2), seconds=150)
        # At each step of the upload.
        for number, fault in enumerate(CUTS, start=2):
            line.arm(fault, partial(os.kill, gateway.process.pid, signal.SIGKILL))
            assert gateway.store(series[number]) == 8
            gateway.process.communicate(timeout=150)
            assert [what for what, _ in line.befallen] == [*CUTS[: number - 1]]
            gateway.start()
            wait_for(f"the scan after {fault}", partial(ready, api, number + 1), seconds=150)
        wait_for("the journal", lambda: "waiting: 0." in gateway.status())
        gateway.kill()
        gateway.start()
        wait_for("nothing more to do", lambda: "waiting: 0." in gateway.status())
        assert gateway.stop() == 0
    scans = scans_of(api)
    assert sorted(scan["code"] for scan in scans) == [f"VX-A-{n:04d}" for n in range(1, len(series) + 1)]
    assert {api.call("GET", f"/scans/{scan['id']}/volume")["shape_zyx"][0] for scan in scans} == {8}
