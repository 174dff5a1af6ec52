"""Minimum versions without known vulnerabilities, checked against `constraints.txt` and installed packages. No
vulnerability database is reachable where this is built and run, so this table is maintained by hand."""

from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.test_packaging import REQUIREMENTS, pins

LEAST = {
    "pydicom": ("3.0.2", "CVE-2026-32711: a path in a DICOMDIR leaves its folder"),
    "monai": ("1.6.1", "CVE-2026-21851, CVE-2025-58756, CVE-2025-58757: pickles in checkpoints, paths in bundles"),
    "torch": ("2.6.0", "CVE-2025-32434: torch.load runs code in spite of weights_only"),
    "djangorestframework": ("3.17.2", "CVE-2026-73228: the limit of a body's size is passed by"),
    "django": ("5.2.8", "CVE-2025-64459: SQL by the keys of a dictionary in filter()"),
    "django-allauth": ("65.13.0", "accounts that were deactivated could refresh tokens"),
    "cryptography": ("44.0.1", "CVE-2024-12797: raw public keys of a server are not checked"),
    "gunicorn": ("23.0.0", "CVE-2024-6827: requests smuggled by Transfer-Encoding"),
    "waitress": (
        "3.0.1",
        "CVE-2024-49768, CVE-2024-49769: a race in pipelined requests, a busy loop on closed sockets",
    ),
    "urllib3": ("2.6.0", "CVE-2025-66418, CVE-2025-66471: decompression without an end"),
    "requests": ("2.32.4", "CVE-2024-47081: credentials of .netrc go to another host"),
    "werkzeug": ("3.1.4", "CVE-2025-66221: device names of Windows in safe_join"),
    "jinja2": ("3.1.6", "CVE-2025-27516: a way out of the sandbox by |attr"),
    "pillow": ("11.3.0", "CVE-2025-48379: a buffer overflow in writing DDS"),
    "sqlparse": ("0.5.0", "CVE-2024-4340: deep nesting ends in RecursionError"),
    "h11": ("0.16.0", "CVE-2025-43859: chunked bodies are read loosely"),
    "pynetdicom": ("3.0.4", "CVE-2026-56445: a path in a UID leaves the folder"),
}
# Checked only if something installs them.
NOT_USED = {"h11"}


def test_only_what_is_used_is_pinned() -> None:
    assert set(LEAST) - set(pins()) == NOT_USED


@pytest.mark.parametrize("name", sorted(set(LEAST) - NOT_USED))
def test_constraints_are_above_the_least(name: str) -> None:
    least, why = LEAST[name]
    assert Version(pins()[name]) >= Version(least), why


@pytest.mark.parametrize("name", sorted(set(LEAST) - NOT_USED))
def test_what_is_installed_is_above_the_least(name: str) -> None:
    assert Version(version(name)) >= Version(LEAST[name][0]), LEAST[name][1]


@pytest.mark.parametrize("name", sorted(NOT_USED))
def test_what_is_not_used_is_not_installed(name: str) -> None:
    with pytest.raises(PackageNotFoundError):
        version(name)


def test_a_least_version_in_pyproject_is_not_below_the_table() -> None:
    lower = {
        str(canonicalize_name(requirement.name)): spec.version
        for requirement in REQUIREMENTS
        for spec in requirement.specifier
        if spec.operator in (">=", "==")
    }
    wrong = {
        name: lower[name]
        for name, (least, _) in LEAST.items()
        if name in lower and Version(lower[name]) < Version(least)
    }
    assert wrong == {}
