"""Content of the demonstration: sites, people, and which phantoms each site sends in which order."""

from collections.abc import Iterator
from dataclasses import dataclass

from voxloop.accounts.roles import Role

CAMPAIGN = "Chest CT: lung opacities"
SLUG = "chest-ct"
BATCH_SIZE = 50
GUIDELINES = (
    "Mark every infectious opacity, ground glass and consolidation, to its visible edge in a lung window. Vessels and "
    "airways inside an opacity belong to it, those beside it do not. A scan without any opacity is a normal answer: "
    "confirm that it is empty."
)


@dataclass(frozen=True)
class SitePlan:
    """A site, its side of the split and its share of the scans; its scanner is `phantom.PROFILES[code]`."""

    code: str
    name: str
    split: str
    share: int


@dataclass(frozen=True)
class Delivery:
    """Scans that a site sends together, by their numbers at the site."""

    site: SitePlan
    numbers: range

    @property
    def pseudonyms(self) -> list[str]:
        """The subjects in it."""
        return [pseudonym_of(self.site, number) for number in self.numbers]


SITES = (
    SitePlan("A", "Site A: standard kernel", "train", 3),
    SitePlan("B", "Site B: sharp kernel", "train", 3),
    SitePlan("C", "Site C: low dose, held out", "validation", 1),
    SitePlan("D", "Site D: wide detector, held out", "validation", 1),
)
# The first scans of each site are labelled, reviewed and approved; the model learns from those of A and B and is
# measured on those of C and D. Fewer are too few: mean Dice on unseen phantoms was .31 after 5 scans, .53 after 11; and
# the gate asks for 12 scored hold-out scans (6 of each site are, 6 scans of both are empty), else a person decides.
LABELLED_OF_EACH_SITE = {"A": 8, "B": 6, "C": 9, "D": 10}
# Of those a quarter is read by two people, to show how far readers agree.
READ_TWICE = 0.25
# Round seeds, not selected: the first subjects are as empty, faint or mixed as the generator makes them.
SEED_BEFORE_FIRST = {"A": 10000, "B": 20000, "C": 30000, "D": 40000}
# A batch of 50 remains besides the labelled ones.
SCANS = 84
FEWEST_SCANS = 8
SCANS_IN_A_DELIVERY = 7

ROLES = {
    "administrator": None,
    "coordinator": Role.COORDINATOR,
    "reviewer": Role.REVIEWER,
    "datamanager": Role.DATA_MANAGER,
    "arbitrator": Role.ARBITRATOR,
    "annotator1": Role.ANNOTATOR,
    "annotator2": Role.ANNOTATOR,
    "annotator3": Role.ANNOTATOR,
}


def pseudonym_of(site: SitePlan, number: int) -> str:
    """The subject's pseudonym: `PHANTOM-A-001`."""
    return f"PHANTOM-{site.code}-{number:03d}"


def seed_of(pseudonym: str) -> int:
    """The seed a subject's phantom is made from; the same subject is the same body on every machine."""
    _word, site, number = pseudonym.split("-")
    return SEED_BEFORE_FIRST[site] + int(number)


def share_out(scans: int) -> dict[str, int]:
    """How many scans each site sends, by code."""
    total = sum(site.share for site in SITES)
    counts = {site.code: scans * site.share // total for site in SITES}
    counts[SITES[0].code] += scans - sum(counts.values())
    return counts


def labelled_of_each_site(scans: int) -> dict[str, int]:
    """How many of each site's first scans are labelled: of training sites half of them in a small demonstration, of
    hold-out sites all that the gate asks for."""
    counts = share_out(scans)
    return {
        site.code: min(
            LABELLED_OF_EACH_SITE[site.code],
            counts[site.code] if site.split == "validation" else (counts[site.code] + 1) // 2,
        )
        for site in SITES
    }


def list_deliveries(scans: int) -> Iterator[Delivery]:
    """All deliveries for that many scans: those to be labelled first, then the sites in turn."""
    counts = share_out(scans)
    sent = labelled_of_each_site(scans)
    for site in SITES:
        yield Delivery(site, range(1, sent[site.code] + 1))
    while sent != counts:
        for site in SITES:
            last = min(sent[site.code] + SCANS_IN_A_DELIVERY, counts[site.code])
            if last > sent[site.code]:
                yield Delivery(site, range(sent[site.code] + 1, last + 1))
            sent[site.code] = last
