"""Shared by commands that act for a person: find the person, and print refusals."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import BaseCommand, CommandError

from voxloop.accounts.models import User
from voxloop.kernel.errors import Refusal

REFUSED, BAD_ARGUMENTS = 1, 2


def find_person(name: str) -> User:
    """The person of this name. Raises CommandError (2)."""
    person = User.objects.filter(username=name).first()
    if person is None:
        raise CommandError(f"There is no person called {name}.", returncode=BAD_ARGUMENTS)
    return person


@contextmanager
def told(command: BaseCommand, *, as_json: bool) -> Iterator[None]:
    """Turn a refusal into exit code 1, printed as JSON if requested."""
    try:
        yield
    except Refusal as refusal:
        if as_json:
            command.stdout.write(json.dumps({"error": refusal.detail, "code": refusal.code}))
        raise CommandError(refusal.detail, returncode=REFUSED) from refusal
