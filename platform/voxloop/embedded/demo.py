"""`manage.py demo`: the whole product on this machine, with demonstration data, until Ctrl-C."""

import argparse
import os
import secrets
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path
from typing import Any

from voxloop.embedded.commands import WORKERS, beat_command, worker_command
from voxloop.embedded.identity import IDENTITY, NotWhole
from voxloop.embedded.messages import Progress, StartError, say
from voxloop.embedded.processes import is_port_free, lock_folder
from voxloop.embedded.state import StateFolder, is_complete
from voxloop.embedded.supervisor import Child, StopRequested, Supervisor
from voxloop.kernel.errors import FULL
from voxloop.kernel.pulse import proof_of, pulse_path
from voxloop.kernel.room import MB, rooms

NEEDED_BYTES = 1024 * MB  # packs, previews, masks, models and the database of the demonstration
NEARLY_FULL_BYTES = 100 * MB
ACCOUNTS = {
    "administrator": "administrator",
    "coordinator": "coordinator",
    "reviewer": "reviewer",
    "datamanager": "data_manager",
    "arbitrator": "arbitrator",
    "annotator1": "annotator",
    "annotator2": "annotator",
    "annotator3": "annotator",
}


def main(root: Path, arguments: list[str]) -> int:
    """Run the command; return 0 after a clean stop, 1 (with one sentence) when it cannot go on."""
    parser = argparse.ArgumentParser(prog="manage.py demo", description=__doc__)
    parser.add_argument("--port", type=_port, default=8000, help="port of the pages on 127.0.0.1 (8000)")
    parser.add_argument("--state", type=Path, default=root / ".state" / "demo", help="folder of everything it keeps")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--reset", action="store_true", help="delete what an earlier start left, and begin anew")
    options = parser.parse_args(arguments)
    try:
        return Demo(root, options.state.resolve(), options.port).run(
            reset=options.reset, browser=not options.no_browser
        )
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise StartError(f"The demonstration cannot go on: {error.strerror or error}{where}.") from error


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port


class Demo:
    """One demonstration in one state folder."""

    def __init__(self, root: Path, state: Path, port: int) -> None:
        self.root = root
        self.state = state
        self.port = port
        self.address = f"http://127.0.0.1:{port}/"
        self.folder = StateFolder(state)
        self.postgres = self.folder.postgres
        self.card: dict[str, Any] = {}
        self.card_is_late = False
        self.card_not_before = 0.0

    def run(self, *, reset: bool, browser: bool) -> int:
        """Start everything, create what is missing, keep it running; return after a clean stop."""
        started = time.monotonic()
        self.state.mkdir(parents=True, exist_ok=True, mode=0o711)
        with lock_folder(self.state, "A demonstration"):
            if reset:
                self.reset()
            self.check_room()
            must_exist = self.folder.check_whole()
            # Keys and log-ins before the database that relies on them: a start that is cut leaves none without.
            self.folder.keep_keys()
            self.fill_card()
            self.postgres.prepare(must_exist=must_exist)
            os.umask(0o077)  # from here on, what is written is for this user only
            try:
                with Supervisor() as supervisor:
                    self.start(supervisor)
                    self.announce(time.monotonic() - started)
                    if browser:
                        open_browser(self.address)
                    self.create(supervisor)
                    self.keep_running(supervisor)
                    say("Stopping …")
            except StopRequested:
                say("Stopping …")
            finally:
                self.postgres.release()
                self.write_card(pids={}, running=False)
        say("Stopped.")
        return 0

    def reset(self) -> None:
        """Delete everything in the state folder; refuse when it does not look like one of ours."""
        ours = (self.state / "demo.json", self.state / IDENTITY)
        if any(self.state.iterdir()) and not any(path.exists() for path in ours):
            strange = [path.name for path in self.state.iterdir() if path.name not in {"lock", "postgres", "log"}]
            if strange:
                raise StartError(
                    f"{self.state} is no folder of a demonstration (it holds {strange[0]}): nothing was deleted."
                )
        try:
            self.folder.identify()
            self.postgres.prepare()
            self.postgres.before_start()
            self.postgres.release()
            self.postgres.remove()
        except NotWhole as error:
            say(f"{error.args[0].partition(':')[0]}: only {self.state} itself is emptied.")
        for path in self.state.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()

    def check_room(self) -> None:
        """Raise `StartError` when the port is taken or the disk is too full to begin."""
        if not is_port_free(self.port):
            raise StartError(f"Port {self.port} is taken by another program: choose another with --port.")
        free = shutil.disk_usage(self.state).free
        needed = NEARLY_FULL_BYTES if (self.state / "demo.json").exists() else NEEDED_BYTES
        if free < needed:
            raise StartError(
                f"The disk of {self.state} is full: {free // MB} MB are free, {needed // MB} MB are needed."
            )

    def fill_card(self) -> None:
        """Read `demo.json` of an earlier start, or make accounts for a new one."""
        self.card = self.folder.read_card() or {"demonstration": "to be created"}
        if not is_complete(self.card):
            known = {account["username"]: account for account in self.card.get("accounts", [])}
            self.card["accounts"] = [
                known.get(name) or {"username": name, "role": role, "password": secrets.token_urlsafe(12)}
                for name, role in ACCOUNTS.items()
            ]
        self.write_card(address=self.address, state=str(self.state), pids={}, running=False)

    def write_card(self, **changes: Any) -> None:
        """Write `demo.json` (mode 0600) in one step; on a full disk later, when there is room."""
        self.card |= changes
        if time.monotonic() < self.card_not_before:
            return
        try:
            self.folder.write_card(self.card)
            self.card_is_late = False
        except OSError as error:
            if error.errno not in FULL:
                raise
            self.card_is_late, self.card_not_before = True, time.monotonic() + 5

    def environment(self) -> dict[str, str]:
        """What the processes of the product are told."""
        return {
            **os.environ,
            **self.folder.environment(),
            "VOXLOOP_DATABASE_FOLDER": str(self.postgres.home),
            "VOXLOOP_HOSTS": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, supervisor: Supervisor) -> None:
        """Start every process and wait until the pages answer."""
        with Progress("Starting") as progress:
            progress.show("database")
            supervisor.start(self.database())
            environment = self.environment()
            progress.show("tables")
            owner = environment | {"VOXLOOP_OWNER_DATABASE": self.postgres.owner_url}  # nobody else is told
            supervisor.run_once(self.command("tables", owner, "prepare_installation"))
            progress.show("pages and workers")
            supervisor.start(*self.services(environment))
        self.write_pids(supervisor)

    def keep_running(self, supervisor: Supervisor) -> None:
        """Until Ctrl-C or TERM: restart what ends, watch the disk, keep the card's process ids true."""
        disk = DiskWatch([("working files", self.state), ("database", self.postgres.home)])

        def look() -> None:
            if disk.look():
                self.postgres.keep_ballast()
            self.write_pids(supervisor)

        supervisor.keep_running(each_round=look)

    def write_pids(self, supervisor: Supervisor) -> None:
        """Write the process ids into the card when they have changed."""
        pids = {"supervisor": os.getpid(), **supervisor.pids}
        if pids != self.card["pids"] or self.card_is_late:
            self.write_card(pids=pids, running=True)

    def database(self) -> Child:
        """PostgreSQL as a child of the supervisor."""
        return Child(
            name="PostgreSQL",
            argv=self.postgres.argv,
            log=self.postgres.log,
            is_ready=self.postgres.is_ready,
            before_start=self.postgres.before_start,
            ready_within_seconds=30,
            stop_signal=signal.SIGINT,
            grace_seconds=20,
            longest_pause_seconds=5,
            popen_options=self.postgres.popen_options(),
        )

    def services(self, environment: dict[str, str]) -> list[Child]:
        """Web, the workers and the clock."""
        python = [sys.executable, "-m"]
        web = [*python, "voxloop.project.front", "--bind", f"127.0.0.1:{self.port}"]
        return [
            self.child("web", web, environment, is_ready=self.answers),
            *self.background(environment),
        ]

    def child(self, name: str, argv: list[str], environment: dict[str, str], **more: Any) -> Child:
        """A child whose log lies in the state folder under its name."""
        return Child(
            name=name, argv=argv, env=environment, log=self.state / "log" / f"{name.replace(' ', '-')}.log", **more
        )

    def background(self, environment: dict[str, str]) -> list[Child]:
        """The workers and the clock."""
        named = [(f"worker {name}", name, worker_command(name, queue)) for name, queue in WORKERS]
        return [
            self.proving(title, name, [sys.executable, "-m", *command], environment)
            for title, name, command in [*named, ("beat", "beat", beat_command())]
        ]

    def proving(self, title: str, name: str, argv: list[str], environment: dict[str, str]) -> Child:
        """A worker or the clock; ready at its first proof of work (`inspect ping` does not work over pgmq)."""
        proof = pulse_path(self.state, name)
        seen = proof_of(proof)
        # Orphaned, they end at once: the database goes at the same time, and what they were at is taken up again.
        return self.child(
            title,
            argv,
            environment,
            proof=proof,
            popen_options={"cwd": self.root},
            orphan_signal=signal.SIGKILL,
            is_ready=lambda: proof_of(proof) != seen,
        )

    def command(self, name: str, environment: dict[str, str], *arguments: str) -> Child:
        """A management command as a child that ends."""
        return self.child(name, [sys.executable, str(self.root / "manage.py"), *arguments], environment)

    def answers(self) -> bool:
        """Whether the pages answer."""
        try:
            with urllib.request.urlopen(f"{self.address}healthz?live", timeout=2) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def announce(self, seconds: float) -> None:
        """Print the address and the log-ins."""
        width = max((len(account["username"]) for account in self.card["accounts"]), default=0)
        lines = [f"\nVoxloop answers at {self.address} (after {seconds:.0f} s)\n"]
        lines += [f"  {account['username']:<{width}}  {account['password']}" for account in self.card["accounts"]]
        lines += ["", f"The same in {self.state / 'demo.json'}. Ctrl-C stops everything.", ""]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()

    def create(self, supervisor: Supervisor) -> None:
        """Create the demonstration, or take it up where it was left; the pages show the same progress."""
        if is_complete(self.card):
            return
        progress = Progress("Demonstration")
        try:
            with progress:
                supervisor.run_once(
                    self.command("demonstration", self.environment(), "create_demonstration"), show=progress.show
                )
            self.write_card(demonstration="complete")
        except StartError as error:
            self.write_card(demonstration="failed")
            say(f"{error} The pages go on; the next start takes it up again.")


class DiskWatch:
    """Says once when a disk fills up, is nearly full and is full, and when it has room again."""

    EVERY_SECONDS = 1.0

    def __init__(self, places: list[tuple[str, Path]]) -> None:
        self.places = places
        self._next = 0.0
        self._said: dict[str, int] = {}

    def look(self) -> bool:
        """Look at the disks if it is time to; answer whether it was."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self.EVERY_SECONDS
        for room in rooms(self.places):
            grade = room.is_low + room.is_kept + room.is_gone
            words = (
                "has room again: everything goes on",
                "fills up",
                "is nearly full: imports, trainings and exports are refused",
                "is full: nothing can be saved until there is room",
            )[grade]
            if grade != self._said.get(room.name, 0):
                say(f"The disk of {room.name} {words} ({room.free_bytes // MB} MB free).")
            self._said[room.name] = grade
        return True


def open_browser(address: str) -> None:
    """Open a browser where there is a screen; a text browser would take the terminal away."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)
