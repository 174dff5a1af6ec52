"""Figures of how the code is built, for `bench structure` and the tests of the architecture."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
