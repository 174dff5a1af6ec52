"""The server side: series of which nothing came for a while are sent, again and again until the server has answered."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from annotation.intake.gateway.spool import Spool, SpooledSeries
from annotation.intake.gateway.status import RefusedSeries, Status
from annotation.intake.sending.client import ServerAway
from annotation.intake.sending.destinations import Delivery, State, ToServer, refused_by
from annotation.intake.sending.sender import CUT_SHORT
from voxloop.kernel.errors import Refusal

LOOK_EVERY_S = 1.0
WAIT_S = 30.0  # after the server was away
KEPT_S = 24 * 3600.0  # a series that was sent: what comes late is sent with the rest of it


@dataclass(frozen=True)
class Forwarder:
    """Sends from a spool. `settle_s`: so long nothing more may have come of a series while the gateway was there; after
    a start the PACS has the time to send again what was not acknowledged."""

    spool: Spool
    destination: ToServer
    status: Status
    settle_s: float
    began_at: float = field(default_factory=time.time)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. Raises Refusal when the server refuses the token or is none."""
        while not stop.is_set():
            pause = LOOK_EVERY_S
            try:
                self.send_settled(stop)
                self.status.facts.problem = ""
                self.status.save()
            except ServerAway as away:
                self.status.facts.problem, pause = away.detail, WAIT_S
                self.status.save()
            except OSError as error:
                self.status.facts.problem = f"The disk cannot be written ({error.strerror}); free some space."
                pause = WAIT_S
            stop.wait(pause)

    def send_settled(self, stop: threading.Event) -> None:
        """Send each series that has settled and is not on the server. Raises ServerAway."""
        waiting = [series for series in self.spool.list_series() if not self._is_over(series)]
        self.status.facts.waiting = len(waiting)
        for series in waiting:
            if stop.is_set():
                return
            if time.time() - max(series.last_at, self.began_at) >= self.settle_s:
                self._send(series)
                self.status.facts.waiting -= 1
                self.status.save()

    def _is_over(self, series: SpooledSeries) -> bool:
        """Whether the server has answered for just these images; long after that they are deleted."""
        entry = self.destination.journal.find(series.code, series.contents)
        refused = self.status.facts.refused.get(series.code)
        if (entry is None or not entry.is_done) and (refused is None or refused.contents != series.contents):
            return False
        self.spool.forget_before(series, KEPT_S)
        return True

    def _send(self, series: SpooledSeries) -> None:
        delivery = self.destination.find(series.code, series.contents, lambda sentence: None) or self._upload(series)
        if delivery.state is State.REFUSED:
            refused = RefusedSeries(series.contents, delivery.code, delivery.reason)
            self.status.facts.refused[series.code] = refused
        else:
            self.status.facts.refused.pop(series.code, None)
            self.status.facts.sent += 1

    def _upload(self, series: SpooledSeries) -> Delivery:
        path = self.destination.place(series.code)
        if path is None:
            raise ValueError("a server wants a zip")
        self.spool.pack(series, path)
        try:
            return self.destination.deliver(series.code, series.contents, path, lambda sentence: None)
        except ServerAway:
            raise
        except Refusal as refusal:
            if refusal.code in CUT_SHORT:
                raise
            return refused_by(refusal)
