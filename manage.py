#!/usr/bin/env python3
import os
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent / "platform"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxloop.project.settings")
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
