"""`manage.py demo`: the whole product on this machine, with demonstration data, until Ctrl-C."""

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

from voxloop.embedded.accounts import ACCOUNTS
from voxloop.embedded.asked import parse
from voxloop.embedded.commands import WORKERS, beat_command, worker_command
from voxloop.embedded.disk_watch import DiskWatch
from voxloop.embedded.identity import IDENTITY, NotWhole
from voxloop.embedded.messages import ProgressLine, StartError, say
from voxloop.embedded.processes import is_port_free, lock_folder
from voxloop.embedded.state import StateFolder, is_complete
from voxloop.embedded.supervisor import Child, StopRequested, Supervisor
from voxloop.kernel.errors import FULL
from voxloop.kernel.pulse import proof_of, pulse_path
from voxloop.kernel.room import MB

NEEDED_BYTES = 1024 * MB  # for packs, previews, masks, models and the database
NEARLY_FULL_BYTES = 100 * MB


def main(root: Path, arguments: list[str]) -> int:
    """Run the command; returns 0 after a clean stop, 1 (after printing one sentence) when it cannot go on."""
    options = parse(root, arguments)
    if options.scans is not None:
        os.environ["VOXLOOP_DEMO_SCANS"] = str(options.scans)
    try:
        return Demo(root, options.state.resolve(), options.port).run(
            reset=options.reset, browser=not options.no_browser
        )
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise StartError(f"The demonstration cannot go on: {error.strerror or error}{where}.") from error


class Demo:
    """One demonstration in one state folder."""

    def __init__(self, root: Path, state: Path, port: int) -> None:
        self.root = root
        self.state = state
        self.port = port
        # Under this name, because browsers keep passkeys for names only, never for an IP address.
        self.address = f"http://localhost:{port}/"
        self.folder = StateFolder(state)
        self.postgres = self.folder.postgres
        self.card: dict[str, Any] = {}
        self.card_is_late = False
        self.card_not_before = 0.0

    def run(self, *, reset: bool, browser: bool) -> int:
        """Start everything, create what is missing, keep it running; return after a clean stop."""
        started = time.monotonic()
        if not self.state.exists():
            self.check_room()  # before a folder is made for nothing
        self.state.mkdir(parents=True, exist_ok=True, mode=0o711)
        with lock_folder(self.state, "A demonstration"):
            if reset:
                self.reset()
            self.check_room()
            must_exist = self.folder.check_whole()
            # Keys and log-ins before the database that needs them, in case this start is interrupted.
            self.folder.keep_keys()
            self.fill_card()
            self.postgres.prepare(must_exist=must_exist)
            os.umask(0o077)  # files created from here on are readable by this user only
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
        """Delete everything in the state folder; refuse when it does not look like a demonstration's."""
        ours = (self.state / "demo.json", self.state / IDENTITY)
        if any(self.state.iterdir()) and not any(path.exists() for path in ours):
            strange = [path.name for path in self.state.iterdir() if path.name not in {"lock", "postgres", "log"}]
            if strange:
                raise StartError(
                    f"{self.state} is not a folder of a demonstration (it holds {strange[0]}): nothing was deleted."
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
        there = next(folder for folder in (self.state, *self.state.parents) if folder.exists())
        free = shutil.disk_usage(there).free
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
        """Write `demo.json` (mode 0600) atomically; on a full disk, retry when there is room."""
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
        """The environment variables of the product's processes."""
        return {
            **os.environ,
            **self.folder.environment(),
            "VOXLOOP_DATABASE_FOLDER": str(self.postgres.home),
            "VOXLOOP_HOSTS": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, supervisor: Supervisor) -> None:
        """Start every process and wait until the pages answer."""
        with ProgressLine("Starting") as progress:
            progress.show("database")
            supervisor.start(self.database())
            environment = self.environment()
            progress.show("tables")
            owner = environment | {"VOXLOOP_OWNER_DATABASE": self.postgres.owner_url}  # no other process gets them
            supervisor.run_once(self.command("tables", owner, "prepare_installation"))
            progress.show("pages and workers")
            supervisor.start(*self.services(environment))
        self.write_pids(supervisor)

    def keep_running(self, supervisor: Supervisor) -> None:
        """Until Ctrl-C or SIGTERM: restart ended processes, watch the disk, keep the card's process ids current."""
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
        """Web, the workers and the scheduler."""
        python = [sys.executable, "-m"]
        web = [*python, "voxloop.project.front", "--bind", f"127.0.0.1:{self.port}"]
        return [
            self.child("web", web, environment, is_ready=self.answers),
            *self.background(environment),
        ]

    def child(self, name: str, argv: list[str], environment: dict[str, str], **more: Any) -> Child:
        """A child that logs to a file of its name in the state folder."""
        return Child(
            name=name, argv=argv, env=environment, log=self.state / "log" / f"{name.replace(' ', '-')}.log", **more
        )

    def background(self, environment: dict[str, str]) -> list[Child]:
        """The workers and the scheduler."""
        named = [(f"worker {name}", name, worker_command(name, queue)) for name, queue in WORKERS]
        return [
            self.proving(title, name, [sys.executable, "-m", *command], environment)
            for title, name, command in [*named, ("beat", "beat", beat_command())]
        ]

    def proving(self, title: str, name: str, argv: list[str], environment: dict[str, str]) -> Child:
        """A worker or the scheduler; ready at its first proof of work (`inspect ping` does not work over pgmq)."""
        proof = pulse_path(self.state, name)
        seen = proof_of(proof)
        # Orphaned, they end at once: the database ends at the same time, and their work is resumed later.
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
        """A management command as a child that is expected to end."""
        return self.child(name, [sys.executable, str(self.root / "manage.py"), *arguments], environment)

    def answers(self) -> bool:
        """Whether the pages answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz?live", timeout=2) as answer:
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
        """Create the demonstration, or resume an interrupted creation; the pages show the same progress."""
        if is_complete(self.card):
            return
        progress = ProgressLine("Demonstration")
        try:
            with progress:
                supervisor.run_once(
                    self.command("demonstration", self.environment(), "create_demonstration"), show=progress.show
                )
            self.write_card(demonstration="complete")
        except StartError as error:
            self.write_card(demonstration="failed")
            say(f"{error} The pages go on; the next start resumes it.")


def open_browser(address: str) -> None:
    """Open a browser where there is a display; a text browser would take over the terminal."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)
