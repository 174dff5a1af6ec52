"""The DICOM side: a Verification and Storage SCP (PS3.4 A, B) that talks to named peers only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from annotation.intake.gateway.spool import Spool
from annotation.intake.gateway.status import Status
from voxloop.kernel.errors import Invalid, Refusal

SUCCESS, NO_ROOM, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000  # PS3.4 B.2.3
REJECTED, BY_USER, UNKNOWN_CALLER = 0x01, 0x01, 0x03  # PS3.8 9.3.4
MOST_ASSOCIATIONS = 10
IDLE_S = 60
LONGEST_TITLE = 16


@dataclass(frozen=True)
class Peer:
    """Who may send: an AE title from an IP address."""

    title: str
    address: str

    @classmethod
    def parse(cls, text: str) -> Peer:
        """From `TITLE@ADDRESS`. Raises Invalid (`bad_peer`)."""
        title, _, address = text.partition("@")
        if not title or len(title) > LONGEST_TITLE or not address:
            raise Invalid(f"“{text}” is no peer; write TITLE@ADDRESS, as PACS@10.0.0.7.", code="bad_peer")
        return cls(title, address)


class Node:
    """Listens while it is started. An image that may not be sent is acknowledged and not kept: the PACS still has it,
    and a failure would stop the rest of the series."""

    def __init__(self, spool: Spool, status: Status, *, title: str, port: int, peers: frozenset[Peer]) -> None:
        if not (title.isascii() and title.isprintable() and 0 < len(title.strip()) <= LONGEST_TITLE):
            raise Invalid("An AE title has 1 to 16 letters or digits; choose another by --aet.", code="bad_title")
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)  # it logs identifiers of what comes in
        self._spool, self._status, self._peers, self._port = spool, status, peers, port
        self._ae = AE(title)
        self._ae.require_called_aet = True
        self._ae.maximum_associations = MOST_ASSOCIATIONS
        self._ae.network_timeout = self._ae.dimse_timeout = self._ae.acse_timeout = IDLE_S
        self._ae.add_supported_context(Verification)
        for context in AllStoragePresentationContexts:
            self._ae.add_supported_context(context.abstract_syntax or "", ALL_TRANSFER_SYNTAXES)

    def start(self) -> int:
        """Listen; answers the port. Raises Invalid (`port_taken`)."""
        handlers: list[tuple[evt.EventType, Callable[[evt.Event], object]]] = [
            (evt.EVT_REQUESTED, self._check_peer),
            (evt.EVT_C_ECHO, lambda event: SUCCESS),
            (evt.EVT_C_STORE, self._store),
        ]
        try:
            at: Any = ("", self._port)
            server = self._ae.start_server(at, block=False, evt_handlers=list(handlers))
        except OSError as error:
            raise Invalid(
                f"Port {self._port} cannot be used ({error.strerror}); choose another by --port.", code="port_taken"
            ) from error
        if server is None:
            raise RuntimeError("no server without blocking")
        return int(server.server_address[1])

    def stop(self) -> None:
        """End: associations are aborted, and what they did not hear acknowledged the PACS sends again."""
        self._ae.shutdown()

    def _check_peer(self, event: evt.Event) -> None:
        requestor = event.assoc.requestor
        title = (requestor.primitive.calling_ae_title or "").strip() if requestor.primitive else ""
        if Peer(title, requestor.address) not in self._peers:
            event.assoc.acse.send_reject(REJECTED, BY_USER, UNKNOWN_CALLER)
            event.assoc.kill()  # waits until it is sent: pynetdicom closes the connection after this event

    def _store(self, event: evt.Event) -> int:
        try:
            self._spool.receive(event.encoded_dataset())
        except Refusal as refusal:
            self._status.count_set_aside(refusal.code)
            return SUCCESS
        except OSError:
            return NO_ROOM
        except Exception:  # a fault of ours must not end the association, nor its text go into a log
            self._status.count_set_aside("not_understood")
            return NOT_UNDERSTOOD
        self._status.count_received()
        return SUCCESS
