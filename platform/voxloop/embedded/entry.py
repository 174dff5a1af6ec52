"""Prepares what a command needs before it runs: the environment, the front end, the import path of its child
processes."""

import contextlib
import os
import sys
from pathlib import Path

from voxloop.embedded import bench, bootstrap, demo, testing, upkeep
from voxloop.embedded.messages import StartError, say

# Commands that serve or test pages, and so need the built front end.
NEEDS_FRONTEND = {"demo", "test", "bench", "runserver", "collectstatic"}
# Their help needs nothing but Python.
HELPED = {"demo": demo.main, "test": testing.main, "bench": bench.main}
USAGE = """usage: manage.py COMMAND [ARGUMENTS]

  demo             the whole product on this machine, with demonstration data
  backup TO, restore FROM    everything, to a folder or a bucket and back
  test             every test, the browser ones too
  bench [NAME …]   the benchmarks
  help             every other command

Each has --help, and takes --state FOLDER: the state folder of a demonstration that it is to work on.
Exit codes: 0 done, 1 failed, 2 bad arguments."""
STATE_HELP = """
As every command:
  --state FOLDER        the state folder of a demonstration that it is to work on
"""
WHERE_IT_IS = "Set VOXLOOP_DATABASE, or name the state folder of a demonstration with --state FOLDER."


def run(root: str, argv: list[str]) -> int:
    """Run `manage.py` with `argv` for the checkout `root`; return the exit code.

    Does not return when the command goes on in another interpreter (`.venv`): the process is replaced.
    """
    home = Path(root)
    command = argv[1] if len(argv) > 1 else ""
    arguments = argv[2:]
    if command in {"", "-h", "--help"}:
        sys.stdout.write(USAGE + "\n")
        return 0 if command else 2
    asks_for_help = bool({"-h", "--help"} & set(arguments))
    if asks_for_help and command in HELPED:
        return HELPED[command](home, ["--help"])  # before anything is installed
    try:
        interpreter = bootstrap.ensure_environment(home, with_tests=command in {"test", "bench"})
        if interpreter:
            os.execv(interpreter, [str(interpreter), str(home / "manage.py"), *argv[1:]])  # noqa: S606
        if command in NEEDS_FRONTEND and not asks_for_help:
            bootstrap.ensure_frontend(home)
        # Child processes (the front, celery, pytest) find the same two source roots in the same order.
        roots = [str(home), str(home / "platform")]
        inherited = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part and part not in roots]
        os.environ["PYTHONPATH"] = os.pathsep.join(roots + inherited)
        if command == "demo":
            return demo.main(home, arguments)
        if command == "test":
            return testing.main(home, arguments)
        if command == "bench":
            return bench.main(home, arguments)
    except StartError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 1
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxloop.project.settings")
    # On a fresh machine Django is installed only by the steps above.
    from django.core.management import execute_from_command_line  # noqa: PLC0415
    from django.db import OperationalError  # noqa: PLC0415

    state = None if asks_for_help else upkeep.take_state(argv)
    try:
        with upkeep.state_for(command, state) if state else contextlib.nullcontext():
            execute_from_command_line(argv)
    except SystemExit:
        if asks_for_help:
            sys.stdout.write(STATE_HELP)
        raise
    except StartError as error:
        say(str(error))
        return 1
    except OperationalError as error:
        say(f"The database does not answer ({str(error).strip().splitlines()[0]}). {WHERE_IT_IS}")
        return 1
    return 0
