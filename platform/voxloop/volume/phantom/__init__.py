"""Phantom chest CTs with ground truth: deterministic, varied, fast. No patient data."""

from voxloop.volume.phantom.make import LOBES, Phantom, make_phantom
from voxloop.volume.phantom.scanner import PROFILES, ScannerProfile

__all__ = ["LOBES", "PROFILES", "Phantom", "ScannerProfile", "make_phantom"]
