"""Container files checked without a container engine: every path and command exists and parses."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from voxloop.embedded.commands import WORKERS, beat_command, worker_command
from voxloop.jobs.models import Job

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
SETTINGS = (ROOT / "platform" / "voxloop" / "project" / "environment.py").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
INSTRUCTIONS = [
    line
    for line in re.sub(r"\\\n", " ", (DOCKER / "Dockerfile").read_text()).splitlines()
    if line.strip() and not line.startswith("#")
]
# `npm ci` needs the lock file and `npx vite` the package, both in the front end's folder.
PROGRAMS_OF_IMAGES = {"npm", "npx", "useradd", "pip"}


def stages() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in INSTRUCTIONS:
        start = re.fullmatch(r"FROM (\S+) AS (\w+)", line)
        if start:
            name = start.group(2)
            found[name] = [line]
        else:
            found[name].append(line)
    return found


def commands() -> dict[str, list[str]]:
    """Every command a container of ours runs, by image stage or service."""
    found = {}
    for name, lines in stages().items():
        for line in lines:
            if line.startswith("CMD "):
                found[name] = json.loads(line.removeprefix("CMD "))
    found |= {name: service["command"] for name, service in COMPOSE["services"].items() if "command" in service}
    return found


def test_every_image_starts_from_a_stage_or_a_named_version() -> None:
    names = set(stages())
    for lines in stages().values():
        source = lines[0].split()[1]
        assert source in names or re.fullmatch(r"[a-z]+:[\w.-]+", source), source


def test_every_copied_path_exists_in_the_repository() -> None:
    sources = [
        path
        for line in INSTRUCTIONS
        if line.startswith("COPY ") and "--from" not in line
        for path in line.split()[1:-1]
    ]
    assert [path for path in sources if not (ROOT / path).exists()] == []


def test_every_program_of_a_build_step_is_known() -> None:
    steps = [line.removeprefix("RUN ") for line in INSTRUCTIONS if line.startswith("RUN ")]
    programs = {part.split()[0] for step in steps for part in step.split("&&")}
    assert programs <= PROGRAMS_OF_IMAGES


def test_compose_names_stages_volumes_and_files_that_exist() -> None:
    for service in COMPOSE["services"].values():
        if "build" in service:
            assert service["build"]["target"] in stages()
            assert (DOCKER / service["build"]["context"] / service["build"]["dockerfile"]).exists()
        for volume in service.get("volumes", []):
            chosen = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume)  # the default
            source = chosen.split(":")[0]
            assert source in COMPOSE["volumes"] or (DOCKER / source).exists()
        for other in service.get("depends_on", {}):
            assert other in COMPOSE["services"]


def test_compose_runs_the_processes_of_the_demonstration() -> None:
    assert {"web", "worker", "ml", "beat", "database"} <= set(COMPOSE["services"])
    # Each of our processes gets all required settings.
    needed = {"VOXLOOP_DATABASE", "VOXLOOP_BROKER", "VOXLOOP_SECRET_KEY", "VOXLOOP_AUDIT_KEY"}
    for name in ("migrate", "web", "worker", "ml", "beat"):
        assert needed <= set(COMPOSE["services"][name]["environment"])


def test_every_variable_of_compose_is_read() -> None:
    ours = [name for name in COMPOSE["services"]["web"]["environment"] if name.startswith("VOXLOOP_")]
    sources = [path.read_text() for folder in ("platform", "annotation") for path in (ROOT / folder).rglob("*.py")]
    assert [name for name in ours if not any(f'"{name}"' in source for source in sources)] == []


def test_compose_hands_on_every_variable_that_the_settings_read() -> None:
    """Otherwise a setting of the operator is ignored. Exceptions: folders, fixed in the image, and debug."""
    read = set(re.findall(r'"(VOXLOOP_[A-Z0-9_]+)"', SETTINGS))
    fixed = {
        "VOXLOOP_STATE",
        "VOXLOOP_EXPORTS",
        "VOXLOOP_DEBUG",
        "VOXLOOP_DATABASE_FOLDER",
        "VOXLOOP_POSTGRES_TOOLS",
        "VOXLOOP_OWNER_DATABASE",  # for `migrate` only
    }
    assert read - fixed - set(COMPOSE["services"]["web"]["environment"]) == set()


def is_managed(command: list[str]) -> bool:
    return command[:2] == ["python", "manage.py"]


@pytest.mark.parametrize("name", sorted(name for name, command in commands().items() if not is_managed(command)))
def test_every_program_of_a_container_exists_and_parses_its_arguments(name: str) -> None:
    """The front parses them with --check, celery before --help."""
    program, *arguments = (argument.replace("%h", "here") for argument in commands()[name])
    found = shutil.which(program, path=str(Path(sys.executable).parent))
    assert found, f"{program} is not installed"
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
        "DJANGO_SETTINGS_MODULE": "voxloop.project.settings",
        "VOXLOOP_DATABASE": "postgresql://nobody@127.0.0.1:1/none",
    }
    check = {"python": "--check", "celery": "--help"}[program]
    command = [found, *arguments, check]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    wrong = subprocess.run(
        [found, *arguments, "--no-such-option", check], cwd=ROOT, env=environment, capture_output=True
    )
    assert wrong.returncode != 0


@pytest.mark.parametrize("name", sorted(name for name, command in commands().items() if is_managed(command)))
def test_every_management_command_of_a_container_exists_and_parses_its_arguments(name: str) -> None:
    _python, script, command, *arguments = commands()[name]
    assert script == "manage.py"
    application = get_commands()[command]
    load_command_class(application, command).create_parser("manage.py", command).parse_args(arguments)


def test_workers_and_the_clock_of_containers_are_those_of_one_machine() -> None:
    for queue in Job.QUEUES.values():
        (ours,) = [command for command in commands().values() if "-Q" in command and queue in command]
        assert ours == worker_command(queue, queue)
    assert commands()["beat"] == beat_command()
    assert {queue for _, queue in WORKERS} == set(Job.QUEUES.values())


def test_every_process_of_ours_has_a_health_check_that_parses() -> None:
    for name in ("worker", "ml"):
        (check,) = [line for line in stages()[name] if line.startswith("HEALTHCHECK")]
        assert json.loads(check.partition(" CMD ")[2])[:3] == ["python", "-m", "voxloop.kernel.pulse"]
    assert COMPOSE["services"]["beat"]["healthcheck"]["test"][3:] == ["voxloop.kernel.pulse", "beat"]
    assert COMPOSE["services"]["web"]["healthcheck"]["test"][:3] == ["CMD", "python", "-c"]
    compile(COMPOSE["services"]["web"]["healthcheck"]["test"][3], "check", "exec")


def test_celery_commands_serve_the_queues_that_jobs_go_to() -> None:
    served = {command[command.index("-Q") + 1] for command in commands().values() if "-Q" in command}
    assert served == set(Job.QUEUES.values())


@pytest.mark.parametrize("path", sorted(DOCKER.rglob("*nginx*.conf")) + sorted((DOCKER / "nginx").glob("*.conf")))
def test_nginx_files_are_whole(path: Path) -> None:
    """tests/machines checks that nginx accepts them."""
    text = path.read_text()
    assert text.count("{") == text.count("}")
    statements = [line.split("#")[0].strip() for line in text.splitlines()]
    assert [line for line in statements if line and line[-1] not in "{};"] == []
    for included in re.findall(r"include /etc/nginx/voxloop/(\S+);", text):
        assert (DOCKER / "nginx" / included).exists()


def test_nginx_passes_on_to_the_web_service_and_leaves_bodies_to_it() -> None:
    host, port = re.search(r"server (\w+):(\d+) ", (DOCKER / "nginx" / "upstream.conf").read_text()).groups()
    assert host in COMPOSE["services"]
    assert f"0.0.0.0:{port}" in commands()["web"]
    assert "proxy_request_buffering off;" in (DOCKER / "nginx" / "pages.conf").read_text()
