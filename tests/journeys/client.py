"""Helpers of journeys: an API client, DICOM series to send, setup scripts."""

import io
import json
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from annotation.demonstration.dicom import SCANNERS, write_ct_series
from tests.factories.world import PASSWORD
from voxloop.volume.phantom import PROFILES, make_phantom

SHAPE = (40, 112, 112)


class Api:
    """A script that uses the API with a token."""

    def __init__(self, url: str, username: str) -> None:
        self.url, self.token = url, ""
        self.token = self.call("POST", "/auth/token", {"username": username, "password": PASSWORD})["token"]

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        head = {"Content-Type": "application/json", **(headers or {})}
        if self.token:
            head["Authorization"] = f"Token {self.token}"
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data=data, method=method, headers=head)
        with urllib.request.urlopen(request, timeout=60) as answer:
            raw = answer.read()
        return json.loads(raw) if raw else None

    def upload(self, name: str, data: bytes, **fields: str) -> Any:
        edge = "voxloop-test-boundary"
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()
        ]
        parts.append(
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/zip\r\n\r\n".encode()
            + data
            + f"\r\n--{edge}--\r\n".encode()
        )
        return self.call(
            "POST", "/scans/upload", b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={edge}"}
        )


# Intake re-keys identifiers: prints the code of each phantom.
CODES = """
import json
from annotation.scans.pseudonyms import open_key
from annotation.work.campaigns import key_of
from annotation.work.models import Campaign
codes = open_key(key_of(Campaign.objects.get()))
print(json.dumps({{name: codes.subject(name[0].lower(), "patient", name) for name in {names!r}}}))
"""


def pack_series(site: str, numbers: range, folder: Path) -> tuple[bytes, dict[str, Any]]:
    """A zip of one CT series per subject, and the phantoms by pseudonym."""
    out, phantoms = io.BytesIO(), {}
    with zipfile.ZipFile(out, "w") as archive:
        for seed in numbers:
            subject = f"{site.upper()}{seed}"
            phantom = phantoms[subject] = make_phantom(seed, PROFILES[site.upper()], shape_zyx=SHAPE)
            series_folder = folder / subject
            series_folder.mkdir()
            hu = np.clip(phantom.hu_zyx, -1024, 3071)
            for path in write_ct_series(series_folder, hu, phantom.geometry, subject=subject, scanner=SCANNERS[site]):
                archive.write(path, f"{subject}/{path.name}")
    return out.getvalue(), phantoms


def answer(page: Any) -> None:
    """The two required questions, by mouse."""
    page.get_by_test_id("tab-questions").click()
    page.get_by_test_id("answer-diagnosis-covid19").click()
    page.get_by_test_id("answer-quality-good").click()


SEED = """
from annotation.scans.services import create_site
from annotation.work.people import invite_person
from annotation.work.campaigns import create_campaign
from annotation.work.standard import CHEST_CT
from voxloop.accounts.actors import SystemActor
from voxloop.accounts.roles import Role
admin = invite_person(username="admin", password={password!r}, actor=SystemActor.OPERATOR, is_administrator=True)
sites = [create_site(code=c, name="Site " + c, split=s, actor=admin)
         for c, s in (("a", "train"), ("b", "train"), ("c", "validation"))]
campaign = create_campaign(name="Chest CT", slug="chest-ct", definition=CHEST_CT, actor=admin,
                           blank_share=0.0, retrain_after=1000)
for name, role in (("annotator", Role.ANNOTATOR), ("annotator2", Role.ANNOTATOR), ("reviewer", Role.REVIEWER),
                   ("coordinator", Role.COORDINATOR), ("datamanager", Role.DATA_MANAGER)):
    invite_person(username=name, password={password!r}, actor=admin, roles=[(campaign, role)], sites=sites)
print(campaign.pk)
"""


READ_THE_REST = """
import json, sys
from uuid import uuid4
import numpy as np
from annotation.masks.answers import save_answers
from annotation.masks.services import begin, save_message
from annotation.masks.states import EMPTY
from annotation.reviews.claims import claim_round
from annotation.reviews.services import approve_round, submit_assignment
from annotation.work.models import Assignment
from annotation.work.batches import create_batch, publish_batch
from annotation.work.models import Campaign
from annotation.scans.models import Scan
from voxloop.accounts.models import User
from voxloop.kernel.clock import now
from voxloop.volume.labelmap import encode_message, split_labelmap
people = {{user.username: user for user in User.objects.all()}}
campaign = Campaign.objects.get()
truth = np.load({truth!r})
codes = [scan for scan in Scan.objects.filter(state="ready").order_by("code") if scan.subject.pseudonym in truth.files]
batch = create_batch(campaign=campaign, actor=people["coordinator"], assignee=people["annotator2"], size=50,
                     scan_ids=[scan.pk for scan in codes])
publish_batch(batch_id=batch.pk, actor=people["coordinator"])
for assignment in batch.assignments.select_related("scan__subject"):
    labels = truth[assignment.scan.subject.pseudonym]
    begin(assignment_id=assignment.pk, actor=people["annotator2"])
    if labels.any():
        message = encode_message("findings", labels.shape, split_labelmap(labels))
        save_message(assignment_id=assignment.pk, layer="findings", key=uuid4(), if_match=EMPTY,
                     actor=people["annotator2"], message=message)
    infected = bool(np.isin(labels, [1, 2, 3]).any())
    values = {{"diagnosis": "covid19" if infected else "no_signs", "quality": "good"}}
    if not labels.any():
        values["confirmed_empty"] = True
    save_answers(assignment_id=assignment.pk, values=values, actor=people["annotator2"])
    round_ = submit_assignment(assignment_id=assignment.pk, actor=people["annotator2"],
                               acknowledged=["mask_outside_lung", "not_seen", "lesions_undecided"])
    claim_round(round_id=round_.pk, actor=people["reviewer"])
    approve_round(round_id=round_.pk, actor=people["reviewer"], signed_at=now())
print(len(codes))
"""
