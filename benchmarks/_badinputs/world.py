"""Targets of the bad inputs: test data inside the product, and one request as data."""

from dataclasses import dataclass, field
from typing import Any

# Run inside the product (`manage.py shell`); the last line it prints is a JSON document for `Targets`.
SEED = """
import json
from annotation.masks.services import begin
from annotation.reviews.comments import add_comment
from annotation.reviews.services import submit_assignment
from annotation.datasets.services import create_release
from tests.factories.world import SHAPE, build_world, label, publish
from voxloop.accounts.tokens import issue_token
world = build_world(scans=4)
rows = list(publish(world, size=4).assignments.order_by("position"))
label(world, rows[0])
round_ = submit_assignment(assignment_id=rows[0].pk, actor=world["annotator"])
comment = add_comment(round_id=round_.pk, actor=world["annotator"], text="unsure here")
begin(assignment_id=rows[1].pk, actor=world["annotator"])
release = create_release(campaign=world.campaign, name="2026.1", actor=world["datamanager"])
print(json.dumps({
    "ids": {
        "assignments": str(rows[1].pk), "scans": str(rows[1].scan_id), "batches": str(rows[1].batch_id),
        "reviews": str(round_.pk), "comments": str(comment.pk), "releases": str(release.pk),
        "revisions": str(round_.masks.get().submitted_id), "campaigns": str(world.campaign.pk),
    },
    "tokens": {
        name: issue_token(user=world[name])[1] for name in ("annotator", "reviewer", "coordinator", "datamanager")
    },
    "shape_zyx": list(SHAPE), "site": "a", "campaign": world.campaign.slug,
}))
"""


@dataclass(frozen=True)
class Targets:
    """Ids by the first part of their address, tokens by person."""

    ids: dict[str, str]
    tokens: dict[str, str]
    shape_zyx: list[int]
    site: str
    campaign: str

    @property
    def mask(self) -> str:
        """URL of the open mask."""
        return f"/api/v1/assignments/{self.ids['assignments']}/mask"


@dataclass(frozen=True)
class Asked:
    """One request. Header values are latin-1; `person` None is nobody."""

    name: str
    method: str
    path: str
    person: str | None = "annotator"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def told(self) -> dict[str, Any]:
        """For a report: short, printable."""
        return {"name": self.name, "method": self.method, "path": self.path[:120], "body": repr(self.body[:60])}
