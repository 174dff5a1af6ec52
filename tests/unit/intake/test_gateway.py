"""The gateway's DICOM side with a real peer: who may send, what is kept, and that no identifier reaches the disk."""

import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from annotation.intake.deidentify.rules import read_rules
from annotation.intake.deidentify.vault import Vault
from annotation.intake.gateway import command
from annotation.intake.gateway.forwarding import Forwarder
from annotation.intake.gateway.node import Node, Peer
from annotation.intake.gateway.spool import Spool
from annotation.intake.gateway.status import Facts, RefusedSeries, Status, in_words, read_facts
from annotation.intake.sending.client import Server, ServerAway
from annotation.intake.sending.command import PASSPHRASE, TOKEN, alone
from annotation.intake.sending.destinations import ToServer
from annotation.intake.sending.journal import Journal
from tests.unit.intake.series import make_series
from voxloop.kernel.errors import Refusal

HERE = "127.0.0.1"


class Gateway:
    """A node that listens, and its folders."""

    def __init__(self, folder: Path) -> None:
        self.vault = Vault.open(folder / "vault.json", "onions and ducks")
        self.spool = Spool(folder / "spool", self.vault, "c", read_rules())
        self.status = Status(folder / "gateway.json")
        self.peers = frozenset({Peer("PACS", HERE), Peer("ELSEWHERE", "10.9.9.9")})
        self.node = Node(self.spool, self.status, title="VOXLOOP", port=0, peers=self.peers)
        self.port = self.node.start()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    running = Gateway(tmp_path / "site")
    yield running
    running.node.stop()


def associate(port: int, images: list[Dataset], *, title: str = "PACS", called: str = "VOXLOOP") -> Any:
    ae = AE(title)
    ae.add_requested_context(Verification)
    for sop_class, syntax in {(str(i.SOPClassUID), str(i.file_meta.TransferSyntaxUID)) for i in images}:
        ae.add_requested_context(sop_class, syntax)
    return ae.associate(HERE, port, ae_title=called)


def store(port: int, images: list[Dataset]) -> list[int]:
    link = associate(port, images)
    assert link.is_established
    answers = [link.send_c_store(image).Status for image in images]
    link.release()
    return answers


def images_of(folder: Path, **identity: str) -> list[Dataset]:
    images: list[Dataset] = [dcmread(path) for path in make_series(folder)]
    for image in images:
        for keyword, value in identity.items():
            setattr(image, keyword, value)
    return images


def test_who_is_named_may_send(gateway: Gateway) -> None:
    link = associate(gateway.port, [])
    assert link.send_c_echo().Status == 0
    link.release()


@pytest.mark.parametrize(("title", "called"), [("STRANGER", "VOXLOOP"), ("ELSEWHERE", "VOXLOOP"), ("PACS", "OTHER")])
def test_who_is_not_named_is_rejected(gateway: Gateway, title: str, called: str) -> None:
    assert associate(gateway.port, [], title=title, called=called).is_rejected


def test_what_is_kept_names_nobody(gateway: Gateway, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = images_of(tmp_path / "in", PatientName="Zwiebel^Otto", PatientID="ZWIEBEL1", SeriesDescription="Zwiebel")
    assert store(gateway.port, images) == [0] * 8
    assert store(gateway.port, images) == [0] * 8  # the same once more
    (series,) = gateway.spool.list_series()
    assert len(series.instances) == 8
    kept = [path for path in (tmp_path / "site").rglob("*") if path.is_file()]
    assert len(kept) == 9
    assert not [path for path in kept if b"wiebel" in path.read_bytes().lower()]
    assert "wiebel" not in caplog.text.lower()
    table = Vault.open(tmp_path / "site" / "vault.json", "onions and ducks").subjects("c")
    assert [row["patient_id"] for row in table.values()] == ["ZWIEBEL1"]
    packed = [tmp_path / name for name in ("one.zip", "two.zip")]
    for path in packed:
        gateway.spool.pack(series, path)
    assert packed[0].read_bytes() == packed[1].read_bytes()
    gateway.spool.forget_before(series, 3600)
    assert len(list(gateway.spool.list_series())) == 1
    gateway.spool.forget_before(series, 0)
    assert list(gateway.spool.list_series()) == []


def test_what_may_not_be_sent_is_not_kept_and_does_not_stop_the_rest(gateway: Gateway, tmp_path: Path) -> None:
    images = images_of(tmp_path / "in")
    images[0].BurnedInAnnotation = "YES"
    images[1].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    assert store(gateway.port, images) == [0] * 8
    (series,) = gateway.spool.list_series()
    assert len(series.instances) == 6
    facts = gateway.status.facts
    assert (facts.received, facts.set_aside) == (6, {"burned_in_annotation": 1, "localiser": 1})


def test_what_cannot_be_written_is_not_acknowledged(gateway: Gateway, tmp_path: Path) -> None:
    images = images_of(tmp_path / "in")
    code = gateway.vault.keys("c").uid(str(images[0].SeriesInstanceUID))
    (tmp_path / "site" / "spool" / code).write_text("in the way of the series' folder")
    assert store(gateway.port, images[:2]) == [0xA700] * 2
    assert gateway.status.facts.received == 0


def test_a_fault_of_ours_does_not_end_the_association(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(data: bytes) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(gateway.spool, "receive", fail)
    assert store(gateway.port, images_of(tmp_path / "in")[:2]) == [0xC000] * 2
    assert gateway.status.facts.set_aside == {"not_understood": 2}


def test_leftovers_of_a_killed_process_are_swept(tmp_path: Path) -> None:
    (tmp_path / "spool" / "2.25.1").mkdir(parents=True)
    (tmp_path / "spool" / "2.25.1" / "2.25.2.part").write_bytes(b"half")
    spool = Spool(tmp_path / "spool", Vault.open(tmp_path / "vault.json", "onions and ducks"), "c", read_rules())
    assert list(spool.list_series()) == []
    assert not list(tmp_path.rglob("*.part"))


def test_the_status_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--status", "--vault", str(tmp_path / "none")]) == 0
    assert "not running" in capsys.readouterr().out
    status = Status(tmp_path / command.STATUS)
    refused = {"2.25.1": RefusedSeries("x", "derived", "Send the original.")}
    status.facts = Facts(3, {"localiser": 2}, 1, 4, "The server does not answer.", refused)
    status.save()
    assert read_facts(tmp_path / command.STATUS) == status.facts
    with alone(tmp_path):
        assert command.main(["--status", "--vault", str(tmp_path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == in_words(status.facts, is_running=True)
    assert told[0] == "The gateway is running."
    assert told[1:] == [
        "Images received: 3. Series sent: 1, waiting: 4.",
        "Images not kept: localiser 2.",
        "Refused by the server (derived). Send the original.",
        "The server does not answer.",
    ]
    (tmp_path / command.STATUS).write_text(json.dumps({"refused": 3}))
    assert read_facts(tmp_path / command.STATUS) == Facts()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"--peer": "PACS"}, "is no peer"),
        ({"--peer": "A_TITLE_THAT_IS_TOO_LONG@10.0.0.1"}, "is no peer"),
        ({"--aet": "A_TITLE_THAT_IS_TOO_LONG"}, "AE title"),
        ({"--server": "http://elsewhere.example"}, "use https"),
        ({"--token": ""}, "Say who may send"),
    ],
)
def test_bad_arguments(
    change: dict[str, str],
    code: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PASSPHRASE, "onions and ducks")
    monkeypatch.delenv(TOKEN, raising=False)
    options = {
        "--peer": f"PACS@{HERE}",
        "--server": "https://voxloop.example",
        "--token": "abc",
        "--site": "a",
        "--campaign": "c",
        "--vault": str(tmp_path),
    }
    arguments = [word for pair in (options | change).items() for word in pair]
    assert command.main(arguments) == 2
    assert code in capsys.readouterr().err


def test_refusals_have_codes(gateway: Gateway) -> None:
    for make, code in (
        (lambda: Peer.parse("x"), "bad_peer"),
        (lambda: Node(gateway.spool, gateway.status, title="", port=0, peers=gateway.peers), "bad_title"),
        (lambda: taken(gateway).start(), "port_taken"),
        (lambda: Server("https://x.example", ""), "bad_token"),
    ):
        with pytest.raises(Refusal) as caught:
            make()
        assert caught.value.code == code


def taken(gateway: Gateway) -> Node:
    return Node(gateway.spool, gateway.status, title="OTHER", port=gateway.port, peers=gateway.peers)


def test_after_a_start_a_series_waits_as_long_as_for_its_last_image(tmp_path: Path) -> None:
    """The PACS sends again what a killed gateway had not acknowledged; half a series must not leave before."""
    spool = Spool(tmp_path / "spool", Vault.open(tmp_path / "vault.json", "onions and ducks"), "c", read_rules())
    for path in make_series(tmp_path / "in")[:3]:
        spool.receive(path.read_bytes())
    (folder,) = (tmp_path / "spool").iterdir()
    os.utime(folder, (0, 0))
    server = Server("http://127.0.0.1:9", "abc", pauses_s=())
    journal = Journal(tmp_path / "sent.json", server.url, "c")
    destination = ToServer(server, "a", "c", journal, tmp_path / "outbox")
    status = Status(tmp_path / "gateway.json")
    forwarder = Forwarder(spool, destination, status, settle_s=3600)
    forwarder.send_settled(threading.Event())
    assert status.facts.waiting == 1
    with pytest.raises(ServerAway):
        replace(forwarder, settle_s=0).send_settled(threading.Event())
    assert len(list(spool.list_series())) == 1
    assert not list((tmp_path / "outbox").iterdir())


def test_four_senders_at_once_lose_and_double_nothing(gateway: Gateway, tmp_path: Path) -> None:
    images = images_of(tmp_path / "in")
    answers: list[int] = []

    def send(sender: int) -> None:
        for series in range(3):
            own = [deepcopy(image) for image in images]
            for number, image in enumerate(own):
                root = f"1.2.{sender}.{series}"
                image.PatientID, image.StudyInstanceUID, image.SeriesInstanceUID = f"Q{root}", f"{root}.1", f"{root}.2"
                image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = UID(f"{root}.3.{number}")
            answers.extend(store(gateway.port, own))

    with ThreadPoolExecutor(4) as senders:
        list(senders.map(send, range(4)))
    assert answers == [0] * 96
    assert [len(series.instances) for series in gateway.spool.list_series()] == [8] * 12
    assert gateway.status.facts.received == 96
    assert len(gateway.vault.subjects("c")) == 12
