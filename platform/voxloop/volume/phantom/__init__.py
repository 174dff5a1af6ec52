"""Phantom chest CTs: deterministic, varied, quick, and with the truth. No patient data anywhere."""

from voxloop.volume.phantom.make import LOBES, Phantom, make_phantom
from voxloop.volume.phantom.scanner import PROFILES, ScannerProfile

__all__ = ["LOBES", "PROFILES", "Phantom", "ScannerProfile", "make_phantom"]
