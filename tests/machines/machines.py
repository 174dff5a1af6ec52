"""The whole product on many machines: compose's processes, each with its own address and state folder."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg

from tests.factories.s3 import KEY, SECRET
from tests.machines import servers
from tests.machines.compose import DOCKER, command_of, environment_of
from tests.machines.servers import Process, is_open, wait_until

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "voxloop"
# Machines by service of compose: two for the web, as many workers, one for the rest.
OURS = {"web": ("web-1", "web-2"), "worker": ("worker-1", "worker-2"), "ml": ("ml-1",), "beat": ("beat",)}
HOSTS = ("database", "broker", "s3", "proxy", *(name for names in OURS.values() for name in names))


class Machines:
    """Servers and processes by machine name. Each machine gets an address in 127.0.0.0/8."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # A separate network for each run, so that parallel runs do not collide.
        network = f"127.{secrets.randbelow(250) + 2}.{secrets.randbelow(250) + 2}"
        self.address = {name: f"{network}.{number}" for number, name in enumerate(HOSTS, start=2)}
        self.port = 443 if os.geteuid() == 0 else 8443
        self.url = f"https://{self.address['proxy']}" + ("" if self.port == 443 else f":{self.port}")
        self.releases = folder / "s3" / BUCKET / "releases"
        self.export_to = f"s3://{BUCKET}/releases?endpoint=http://{self.address['s3']}:9000"
        self.given = self.answers_of_the_operator()
        self.processes: dict[str, Process] = {}

    def answers_of_the_operator(self) -> dict[str, str]:
        """The operator's docker/.env."""
        storage = f"s3://{BUCKET}/store?endpoint=http://{self.address['s3']}:9000"
        return {
            "VOXLOOP_OWNER_PASSWORD": secrets.token_urlsafe(16),
            "VOXLOOP_DATABASE_PASSWORD": secrets.token_urlsafe(16),
            "VOXLOOP_BROKER_PASSWORD": secrets.token_urlsafe(16),
            "VOXLOOP_SECRET_KEY": secrets.token_urlsafe(48),
            "VOXLOOP_AUDIT_KEY": secrets.token_urlsafe(48),
            "VOXLOOP_STORAGE": storage,
            "VOXLOOP_EXPORT_BUCKETS": self.export_to,
            # Audit anchors in a location shared by all machines.
            "VOXLOOP_ANCHORS": f"s3://{BUCKET}/anchors?endpoint=http://{self.address['s3']}:9000",
            "VOXLOOP_HOSTS": self.address["proxy"],
            "VOXLOOP_HTTPS": "1",
            "VOXLOOP_TRAIN_STEPS": "60",  # the model does not matter here
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def environment(self, service: str, machine: str) -> dict[str, str]:
        """The environment of a service's process, with its own state folder, and addresses instead of names."""
        told = environment_of(service, self.given)
        for name in ("database", "broker"):
            told = {key: value.replace(f"@{name}:", f"@{self.address[name]}:") for key, value in told.items()}
        state = self.folder / "state" / machine
        state.mkdir(parents=True, exist_ok=True)
        return told | {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(state),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "voxloop.project.settings",
            "VOXLOOP_STATE": str(state),
        }

    def process(self, service: str, machine: str) -> Process:
        """One of our processes, by the command of its container."""
        here = self.address.get(machine, "127.0.0.1")
        command = [part.replace("0.0.0.0", here).replace("%h", machine) for part in command_of(service)]
        command[0] = sys.executable if command[0] == "python" else str(Path(sys.executable).parent / command[0])
        log = self.folder / f"{machine}.log"
        return Process(machine, command, log, ROOT, self.environment(service, machine))

    def start_servers(self) -> None:
        """Database, broker and store, ready to be used."""
        database = servers.postgres(self.folder, self.address["database"], self.given["VOXLOOP_OWNER_PASSWORD"])
        broker = servers.rabbitmq(self.folder, self.address["broker"], self.given["VOXLOOP_BROKER_PASSWORD"])
        store = servers.s3(self.folder, self.address["s3"], BUCKET)
        for process in (database, *broker, store):
            self.processes[process.name] = process
            process.start()
        wait_until("PostgreSQL", self.make_database, database)
        wait_until("the S3 server", lambda: is_open(self.address["s3"], 9000), store)
        wait_until("RabbitMQ", lambda: is_open(self.address["broker"], 5672), broker[-1])

    def make_database(self) -> bool:
        """What the image does for an empty volume: create the database, then run docker/roles.sh. False: not yet."""
        owner = {
            "PGHOST": self.address["database"],
            "PGPASSWORD": self.given["VOXLOOP_OWNER_PASSWORD"],
            "POSTGRES_USER": "voxloop_owner",
            "POSTGRES_DB": "voxloop",
            "PATH": "/usr/bin:/bin",
            "VOXLOOP_DATABASE_PASSWORD": self.given["VOXLOOP_DATABASE_PASSWORD"],
        }
        with (
            suppress(psycopg.OperationalError),
            psycopg.connect(
                host=owner["PGHOST"],
                user="voxloop_owner",
                dbname="postgres",
                autocommit=True,
                password=owner["PGPASSWORD"],
            ) as connection,
        ):
            connection.execute("CREATE DATABASE voxloop")
            subprocess.run(["sh", str(DOCKER / "roles.sh")], env=owner, check=True, capture_output=True)
            return True
        return False

    def start_product(self) -> None:
        """Start what compose starts after the servers, in its order: migrations, everything else, the proxy last."""
        migrate = self.process("migrate", "migrate")
        migrate.start()
        assert migrate.running is not None
        assert migrate.running.wait(120) == 0, migrate.log.read_text()
        for service, machines in OURS.items():
            for machine in machines:
                self.processes[machine] = self.process(service, machine)
                self.processes[machine].start()
        webs = [self.address[name] for name in OURS["web"]]
        self.processes["proxy"] = servers.nginx(self.folder, self.address["proxy"], webs, self.port)
        self.processes["proxy"].start()
        for name in OURS["web"]:
            wait_until(name, partial(is_open, self.address[name], 8000), self.processes[name])
        wait_until("the pages", self.answers, self.processes["proxy"])

    def answers(self) -> bool:
        """Whether the pages answer through the proxy."""
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/accounts/login/", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    @property
    def certificate(self) -> Path:
        """The certificate that a client must trust."""
        return self.folder / "proxy" / "certificates" / "certificate.pem"

    def start(self, name: str) -> None:
        """Restart a killed machine."""
        self.processes[name].start()

    def kill(self, name: str) -> None:
        """A power cut at one machine."""
        self.processes[name].kill()

    def listens(self, name: str, port: int) -> bool:
        """Whether a machine takes connections."""
        return is_open(self.address[name], port)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A management command, as `docker compose run --rm web python manage.py …` runs it."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment("web", "operator"),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def logs(self) -> str:
        """The last lines of every process, for a failing test."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-2500:]}" for path in sorted(self.folder.glob("*.log"))
        )

    def stop(self) -> None:
        """End everything, last first."""
        for process in reversed(list(self.processes.values())):
            process.stop()


@contextmanager
def many_machines() -> Iterator[Machines]:
    """Start everything; requests of this process trust the certificate meanwhile."""
    # Not below pytest's folders, which the database's user cannot access.
    folder = Path(tempfile.mkdtemp(prefix="voxloop-machines-"))
    folder.chmod(0o711)
    machines = Machines(folder)
    trusted = os.environ.get("SSL_CERT_FILE")
    try:
        machines.start_servers()
        os.environ["SSL_CERT_FILE"] = str(machines.certificate)
        machines.start_product()
        yield machines
    except BaseException as error:
        error.add_note(machines.logs())
        raise
    finally:
        machines.stop()
        os.environ.pop("SSL_CERT_FILE") if trusted is None else os.environ.update(SSL_CERT_FILE=trusted)
        shutil.rmtree(folder, ignore_errors=True)
