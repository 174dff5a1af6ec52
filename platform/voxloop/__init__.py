"""Voxloop: annotation and active learning for 3D medical scans. The platform under the product."""

__version__ = "0.1.0"
