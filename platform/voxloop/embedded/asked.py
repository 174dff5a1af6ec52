"""The arguments of `manage.py demo`."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

ABOUT = "The whole product on this machine, with demonstration data, until Ctrl-C."
SCANS, FEWEST_SCANS = 84, 8  # as `annotation.demonstration.plan` has them, which needs packages


def parse(root: Path, arguments: Sequence[str]) -> argparse.Namespace:
    """`port`, `state`, `no_browser`, `reset` and `scans` (a number or None). Ends the process for bad ones, and for
    --help."""
    parser = argparse.ArgumentParser(prog="manage.py demo", description=ABOUT)
    parser.add_argument("--port", type=_port, default=8000, help="port of the pages on 127.0.0.1 (8000)")
    parser.add_argument("--state", type=Path, default=root / ".state" / "demo", help="folder of everything it keeps")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--reset", action="store_true", help="delete everything an earlier start left, and start over")
    parser.add_argument(
        "--scans",
        type=_scans,
        default=os.environ.get("VOXLOOP_DEMO_SCANS"),
        help=f"how many phantoms a new one holds: {SCANS}, at least {FEWEST_SCANS}, 0 for people and a campaign alone "
        "(VOXLOOP_DEMO_SCANS says the same); fewer are ready sooner",
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port


def _scans(text: str) -> int:
    scans = int(text)
    if scans < FEWEST_SCANS and scans != 0:
        raise argparse.ArgumentTypeError(f"a demonstration holds at least {FEWEST_SCANS} scans, or 0")
    return scans
