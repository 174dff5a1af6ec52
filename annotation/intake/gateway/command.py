"""The command line: `manage.py gateway`, and `python -m annotation.intake.gateway` where there is no Django."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from annotation.intake.deidentify.rules import read_rules
from annotation.intake.deidentify.vault import Vault
from annotation.intake.gateway.forwarding import Forwarder
from annotation.intake.gateway.node import Node, Peer
from annotation.intake.gateway.spool import Spool
from annotation.intake.gateway.status import Status, in_words, read_facts
from annotation.intake.sending.client import Server
from annotation.intake.sending.command import BAD_ARGUMENTS, FAILED, HOME, TOKEN, alone, ask_passphrase
from annotation.intake.sending.destinations import ToServer
from annotation.intake.sending.journal import Journal
from voxloop.kernel.errors import Invalid, Refusal

ABOUT = (
    "A DICOM node beside the PACS: receives series from the peers that are named, de-identifies every image before it "
    "is written anywhere, and sends each series to a server once nothing more has come of it for a while."
)
STATUS = "gateway.json"
Write = Callable[[str], object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--status", action="store_true", help="print what the gateway of this vault has done, and end")
    parser.add_argument("--aet", default="VOXLOOP", metavar="TITLE", help="its own AE title (default VOXLOOP)")
    parser.add_argument("--port", type=int, default=11112, help="where it listens (default 11112)")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="TITLE@ADDRESS", help="who may send; as often as needed"
    )
    parser.add_argument("--server", metavar="URL", help="address of the server, https://…")
    parser.add_argument("--token", help=f"API token with the scope “manage”; better in {TOKEN}, where nobody sees it")
    parser.add_argument("--site", metavar="CODE", help="the site that the scans come from; needed if you have several")
    parser.add_argument("--campaign", metavar="SLUG", help="the campaign that gets them; needed if you have several")
    parser.add_argument(
        "--vault", type=Path, default=HOME, metavar="FOLDER", help=f"where key and table lie, sealed (default {HOME})"
    )
    parser.add_argument(
        "--settle", type=float, default=60.0, metavar="SECONDS", help="so long nothing more of a series (default 60)"
    )


def main(arguments: Sequence[str]) -> int:
    """Run one command line; answers the exit code: 0 stopped, 1 failed, 2 bad arguments."""
    parser = argparse.ArgumentParser(prog="python -m annotation.intake.gateway", description=ABOUT)
    add_arguments(parser)
    return run(parser.parse_args(arguments), sys.stdout.write, sys.stderr.write)


def run(options: argparse.Namespace, out: Write, err: Write) -> int:
    """Listen and send until SIGINT or SIGTERM; or print the status."""
    if options.status:
        facts = read_facts(options.vault / STATUS)
        out("".join(f"{line}\n" for line in in_words(facts, is_running=_is_running(options.vault))))
        return 0
    token = options.token or os.environ.get(TOKEN, "")
    if not (options.server and token and options.peer):
        err(f"Say who may send, and where to: --peer TITLE@ADDRESS, --server URL and --token TOKEN (or {TOKEN}).\n")
        return BAD_ARGUMENTS
    stop = threading.Event()
    try:
        with alone(options.vault):
            _serve(options, token, stop, out)
    except Refusal as refusal:
        err(f"{refusal.detail}\n")
        return BAD_ARGUMENTS if refusal.code in ("bad_peer", "bad_server", "bad_title", "not_chosen") else FAILED
    return 0


def _serve(options: argparse.Namespace, token: str, stop: threading.Event, out: Write) -> None:
    peers = frozenset(Peer.parse(text) for text in options.peer)
    server = Server(options.server, token)
    campaign = options.campaign or server.only("campaigns", "slug")
    site = options.site or server.only("sites", "code")
    path = options.vault / "vault.json"
    vault = Vault.open(path, ask_passphrase(is_new=not path.exists()))
    spool = Spool(options.vault / "spool" / campaign, vault, campaign, read_rules())
    status = Status(options.vault / STATUS)
    journal = Journal(options.vault / "sent.json", server.url, campaign)
    destination = ToServer(server, site, campaign, journal, options.vault / "outbox")
    node = Node(spool, status, title=options.aet, port=options.port, peers=peers)

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    port = node.start()
    out(f"{options.aet} listens on port {port} for {', '.join(sorted(peer.title for peer in peers))}.\n")
    try:
        Forwarder(spool, destination, status, options.settle).run(stop)
    finally:
        node.stop()
        status.save()


def _is_running(vault: Path) -> bool:
    if not vault.is_dir():
        return False
    try:
        with alone(vault):
            return False
    except Invalid:
        return True
