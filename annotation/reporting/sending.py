"""Send reports to a PACS by C-STORE (pynetdicom), to destinations that an operator has named."""

import io
import socket
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from pydicom import dcmread
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE

from annotation.reporting.models import Measurement
from annotation.reporting.services import report_dicom
from annotation.scans.states import ScanState
from voxloop.accounts.actors import SystemActor
from voxloop.audit.services import record
from voxloop.jobs.running import Claim
from voxloop.kernel.errors import Conflict

TITLE = "VOXLOOP"
TIMEOUT_S = 20.0


class Peer(Protocol):
    """A DICOM node, as the settings name it."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


def send_reports(held: Claim) -> dict[str, Any]:
    """Carry out a `send_reports` job. Raises Conflict: `unknown_peer`, `peer_away`, `peer_refused`, `nothing_measured`.
    What was stored before a refusal stays at the peer; sending again gives the same objects."""
    wanted, name = held.job.payload["measurements"], held.job.payload["peer"]
    peer = settings.REPORT_PEERS.get(name)
    if peer is None:
        raise Conflict(f"{name} is no destination of this server any more.", code="unknown_peer")
    rows = Measurement.objects.filter(pk__in=wanted, fault="", scan__state=ScanState.READY)
    found = list(rows.select_related("campaign__schema", "scan__site", "scan__subject", "scan__series__study"))
    if not found:
        raise Conflict("The report is not there any more; nothing was sent.", code="nothing_measured")
    node = AE(TITLE)
    node.acse_timeout = node.dimse_timeout = node.network_timeout = node.connection_timeout = TIMEOUT_S
    node.add_requested_context(EncapsulatedPDFStorage, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    held.report(10, f"Calling {name}")
    link = node.associate(peer.host, peer.port, ae_title=peer.title) if _answers(peer) else None
    if link is None or not link.is_established:
        raise Conflict(
            f"{name} does not answer or does not know {TITLE}; nothing was sent. Try again, or ask its operator.",
            code="peer_away",
        )
    try:
        for done, one in enumerate(found):
            held.report(10 + 85 * done // len(found), f"Sending {one.scan}")
            _store(link, one, name)
    finally:
        link.release()
    return {"sent": len(found), "to": name}


def _answers(peer: Peer) -> bool:
    """Whether its port is open: pynetdicom keeps the socket of a call that was refused."""
    try:
        with socket.create_connection((peer.host, peer.port), TIMEOUT_S):
            return True
    except OSError:
        return False


def _store(link: Any, found: Measurement, name: str) -> None:
    document = dcmread(io.BytesIO(report_dicom(found)))
    status = link.send_c_store(document)
    if not status or status.Status & 0xF000 not in (0x0000, 0xB000):
        code = f"{status.Status:04X}" if status else "no answer"
        raise Conflict(f"{name} refused the report of {found.scan} ({code}).", code="peer_refused")
    with transaction.atomic():
        record(
            actor=SystemActor.WORKER,
            action="scan.report_sent",
            target=found.scan,
            new={"peer": name, "uid": str(document.SOPInstanceUID), "revision": str(found.revision_id or "")},
        )
