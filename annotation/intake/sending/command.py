"""The command line: `manage.py send`, and `python -m annotation.intake.sending` where there is no Django."""

from __future__ import annotations

import argparse
import fcntl
import getpass
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from annotation.intake.deidentify.keys import KEY_BYTES, SiteKeys
from annotation.intake.deidentify.rules import read_rules
from annotation.intake.deidentify.vault import Vault
from annotation.intake.sending.client import Server
from annotation.intake.sending.destinations import Destination, Nowhere, State, ToFolder, ToServer
from annotation.intake.sending.journal import Journal
from annotation.intake.sending.packing import Packed
from annotation.intake.sending.sender import Outcome, Progress, Summary, send_source
from annotation.intake.sending.table import write_table
from voxloop.kernel.errors import Invalid, Refusal

FAILED, BAD_ARGUMENTS = 1, 2
PASSPHRASE, TOKEN = "VOXLOOP_SITE_PASSPHRASE", "VOXLOOP_TOKEN"
HOME = Path.home() / ".voxloop-site"
ABOUT = (
    "De-identify the series of a folder, zip or DICOMDIR here, and send them to a server. What cannot be sent is named "
    "with what to do. The key and the table of whose code is whose stay in the vault."
)
Write = Callable[[str], object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("source", type=Path, nargs="?", metavar="DIR|ZIP|DICOMDIR")
    parser.add_argument("--server", metavar="URL", help="address of the server, https://…")
    parser.add_argument("--token", help=f"API token with the scope “manage”; better in {TOKEN}, where nobody sees it")
    parser.add_argument("--site", metavar="CODE", help="the site that the scans come from; needed if you have several")
    parser.add_argument("--campaign", metavar="SLUG", help="the campaign that gets them; needed if you have several")
    parser.add_argument(
        "--vault", type=Path, default=HOME, metavar="FOLDER", help=f"where key and table lie, sealed (default {HOME})"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell what would be sent and what not; change nothing")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write the de-identified series here instead of sending them"
    )
    parser.add_argument(
        "--table", action="store_true", help="print whose scan is whose as CSV, out of the vault; keep it at the site"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON, and no progress bar")


def main(arguments: Sequence[str]) -> int:
    """Run one command line; answers the exit code: 0 done, 1 failed, 2 bad arguments."""
    parser = argparse.ArgumentParser(prog="python -m annotation.intake.sending", description=ABOUT)
    add_arguments(parser)
    return run(parser.parse_args(arguments), sys.stdout.write, sys.stderr.write)


def run(options: argparse.Namespace, out: Write, err: Write) -> int:
    """Send, and print what became of it. The passphrase is asked for, or read from the environment."""
    token = options.token or os.environ.get(TOKEN, "")
    if options.table:
        return print_table(options.vault, out, err)
    if options.source is None:
        err("Say what to send: a folder, a zip or a DICOMDIR.\n")
        return BAD_ARGUMENTS
    if not options.dry_run and options.out is None and not (options.server and token):
        err(f"Say where to: --server URL and --token TOKEN (or {TOKEN}); or try --dry-run.\n")
        return BAD_ARGUMENTS
    if options.out is not None and not options.campaign:
        err("Say --campaign SLUG: each campaign has its own codes.\n")
        return BAD_ARGUMENTS
    try:
        with nullcontext() if options.dry_run else alone(options.vault), show_progress(options.json) as progress:
            summary = _send(options, token, progress)
    except Refusal as refusal:
        if options.json:
            out(json.dumps({"error": refusal.detail, "code": refusal.code}) + "\n")
        err(f"{refusal.detail}\n")
        return BAD_ARGUMENTS if refusal.code in ("no_such_file", "not_chosen", "bad_server") else FAILED
    if options.json:
        out(json.dumps(summary.to_json()) + "\n")
    else:
        out("".join(f"{line}\n" for line in in_words(summary)))
    return 0 if summary.is_success else FAILED


def _send(options: argparse.Namespace, token: str, progress: Progress) -> Summary:
    rules = read_rules()
    if options.dry_run:
        keys = SiteKeys(secrets.token_bytes(KEY_BYTES))  # forgotten at the end
        return send_source(
            options.source, Nowhere(), keys=keys, rules=rules, note=lambda packed: None, progress=progress
        )
    destination: Destination
    if options.out is not None:
        campaign, destination = options.campaign, ToFolder(options.out)
    else:
        server = Server(options.server, token)
        campaign = options.campaign or server.only("campaigns", "slug")
        site = options.site or server.only("sites", "code")
        journal = Journal(options.vault / "sent.json", server.url, campaign)
        destination = ToServer(server, site, campaign, journal, options.vault / "outbox")
    path = options.vault / "vault.json"
    vault = Vault.open(path, ask_passphrase(is_new=not path.exists()))
    keys = vault.keys(campaign)
    vault.save()

    def note(packed: Packed) -> None:
        for cleaned in packed.origins.values():
            vault.note(campaign, cleaned)
        vault.save()

    return send_source(options.source, destination, keys=keys, rules=rules, note=note, progress=progress)


def print_table(folder: Path, out: Write, err: Write) -> int:
    """The table of a vault; answers the exit code."""
    path = folder / "vault.json"
    try:
        if not path.exists():
            raise Invalid(f"There is no vault in {folder}; name its folder by --vault.", code="no_vault")
        out(write_table(Vault.open(path, ask_passphrase(is_new=False)), folder / "sent.json"))
    except Refusal as refusal:
        err(f"{refusal.detail}\n")
        return FAILED
    return 0


def ask_passphrase(*, is_new: bool) -> str:
    """The passphrase of the vault. Raises Invalid (`no_passphrase`, `passphrases_differ`)."""
    if given := os.environ.get(PASSPHRASE):
        return given
    if not sys.stdin.isatty():
        raise Invalid(f"Set {PASSPHRASE}, or run the command in a terminal, which asks for it.", code="no_passphrase")
    first = getpass.getpass("A new passphrase for the site's vault: " if is_new else "Passphrase of the site's vault: ")
    if is_new and getpass.getpass("Once more: ") != first:
        raise Invalid("The two passphrases differ; start again.", code="passphrases_differ")
    return first


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock the folder of the vault for this process. Raises Invalid (`vault_busy`)."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Invalid(
                "Another command uses this vault; wait for it, or name another folder by --vault.", code="vault_busy"
            ) from error
        yield


@contextmanager
def show_progress(is_quiet: bool) -> Iterator[Progress]:
    """A progress bar on stderr, so that stdout stays clean for scripts."""
    if is_quiet or not sys.stderr.isatty():
        yield Progress()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("Looking for files", total=None)
        yield Progress(
            total=lambda files: bar.update(task, total=files),
            step=lambda files: bar.advance(task, files),
            say=lambda sentence: bar.update(task, description=sentence),
        )


def in_words(summary: Summary) -> Iterator[str]:
    """The lines that are printed: each series, what was set aside, the attributes by class, other files."""
    for number, outcome in enumerate(summary.series, start=1):
        yield _line_of(number, outcome)
        for aside in outcome.set_aside if outcome.files else []:
            where = f"{_files(aside.files)}, first {_at(aside.folder, aside.file)}"
            yield f"  not sent: {where} ({aside.code}). {aside.reason}"
    if not summary.series:
        yield "There is no DICOM image in it; name the folder that holds the series."
    if summary.not_dicom or summary.unreadable:
        yield f"Files that are not DICOM: {summary.not_dicom}; damaged: {summary.unreadable}."
    if summary.report.files:
        yield f"{'Attributes of ' + _files(summary.report.files):30} {'kept':>8} {'changed':>8} {'removed':>8}"
        for name, counts in summary.report.to_json()["classes"].items():
            yield f"  {name:28} {counts['kept']:8} {counts['changed']:8} {counts['removed']:8}"


def _line_of(number: int, outcome: Outcome) -> str:
    shown = f"Series {number}" if outcome.series_number is None else f"Series {number} (number {outcome.series_number})"
    where = f"{shown}, {_at(outcome.folder, outcome.file)}"
    delivery = outcome.delivery
    if delivery.state is State.REFUSED:
        return f"{where}: refused ({delivery.code}). {delivery.reason}"
    scans = f" as {', '.join(delivery.scans)}" if delivery.scans else ""
    return f"{where}: {_files(outcome.files)}, {delivery.state}{scans}."


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _at(folder: str, file: str) -> str:
    return f"{folder}/{file}" if folder else file
