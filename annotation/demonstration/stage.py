"""What the steps of the demonstration share: the campaign, its sites and people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from annotation.scans.models import Site
from annotation.scans.pseudonyms import open_key
from annotation.work.campaigns import key_of
from annotation.work.models import Campaign
from voxloop.accounts.models import User
from voxloop.kernel.clock import now


@dataclass
class Stage:
    """The campaign with its sites and people."""

    campaign: Campaign
    sites: Mapping[str, Site]
    people: Mapping[str, User]
    labelled: Mapping[str, int]  # how many of each site's first scans, by its code


def code_of(stage: Stage, pseudonym: str) -> str:
    """The code that intake gives a subject of the demonstration."""
    return open_key(key_of(stage.campaign)).subject(pseudonym.split("-")[1], "patient", pseudonym)


def in_days(days: int) -> date:
    """The day so many days from today."""
    return now().date() + timedelta(days=days)
