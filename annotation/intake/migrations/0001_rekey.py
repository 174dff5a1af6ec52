"""Re-key what was stored before identifiers were re-keyed at the door.

Patient IDs, study, series, frame-of-reference and instance UIDs become codes of the key of the campaign which the
subject's first scan was sent to; free text of scanners becomes a word of the lists. What an empty or dummy Patient ID
had merged is parted by study. There is no way back: the originals are gone, which is the point. Backwards the columns
stay as they are; a second way forward would re-key the codes, and scans sent again would not be recognised.
"""

import os
from typing import Any

from django.db import migrations

from annotation.intake.dicom.identity import is_dummy
from annotation.intake.dicom.vocabulary import OTHER, kernel_of, manufacturer_of, model_of
from annotation.scans.pseudonyms import KEY_BYTES, Pseudonyms, seal_secret
from voxloop.kernel.ids import new_id

MADE_UP = ("unnamed-", "nifti-")  # what the intake wrote where no patient was named


def rekey(apps: Any, schema_editor: Any) -> None:
    keys = _Keys(apps)
    for subject in apps.get_model("scans", "Subject").objects.filter(key=None).select_related("site"):
        scans = list(subject.scans.order_by("created_at", "code"))
        row, codes = keys.of(scans)
        original = subject.pseudonym
        subject.is_unnamed = original.startswith(MADE_UP) or is_dummy(original)
        subject.key = row
        studies = list(subject.studies.order_by("pk"))
        if subject.is_unnamed and studies:
            subject.pseudonym = codes.subject(subject.site.code, "study", studies[0].uid)
        else:
            subject.pseudonym = codes.subject(subject.site.code, "patient", original)
        subject.save()
        for number, study in enumerate(studies):
            owner = subject
            if subject.is_unnamed and number:
                owner = type(subject).objects.create(
                    pk=new_id(),
                    site=subject.site,
                    key=row,
                    is_unnamed=True,
                    pseudonym=codes.subject(subject.site.code, "study", study.uid),
                )
            _rekey_study(study, owner, codes)
        for scan in scans:
            _rekey_scan(scan, codes)


def _rekey_study(study: Any, owner: Any, codes: Pseudonyms) -> None:
    for series in study.series.all():
        if series.scans.exists():
            series.scans.update(subject=owner)
        series.uid = codes.uid(series.uid)
        series.save(update_fields=["uid"])
    study.uid, study.subject = codes.uid(study.uid), owner
    study.save(update_fields=["uid", "subject"])


def _rekey_scan(scan: Any, codes: Pseudonyms) -> None:
    facts = dict(scan.facts)
    if facts.get("frame_of_reference_uid"):
        facts["frame_of_reference_uid"] = codes.uid(facts["frame_of_reference_uid"])
    if facts.get("sop_instance_uids"):
        facts["sop_instance_uids"] = [codes.uid(uid) for uid in facts["sop_instance_uids"]]
    for name, listed in (("manufacturer", manufacturer_of), ("model", model_of), ("kernel", kernel_of)):
        if name in facts:
            facts[name] = listed(str(facts[name]))
    thickness = facts.get("slice_thickness_mm")
    words = [
        scan.modality,
        f"kernel {facts['kernel']}" if facts.get("kernel", "") not in ("", OTHER) else "",
        f"{round(thickness, 2):g} mm" if isinstance(thickness, int | float) else "",
    ]
    if facts:
        scan.description = ", ".join(word for word in words if word)
    scan.facts = facts
    scan.save(update_fields=["facts", "description"])


class _Keys:
    """One key for each campaign, made when the first of its subjects is met."""

    def __init__(self, apps: Any) -> None:
        self._apps = apps
        self._made: dict[Any, tuple[Any, Pseudonyms]] = {}

    def of(self, scans: list[Any]) -> tuple[Any, Pseudonyms]:
        link = (
            self._apps.get_model("work", "CampaignScan")
            .objects.filter(scan__in=scans)
            .select_related("campaign")
            .order_by("added_at", "pk")
            .first()
        )
        name = link and link.campaign_id
        if name not in self._made:
            secret, pk = os.urandom(KEY_BYTES), new_id()
            row = self._apps.get_model("scans", "PseudonymKey").objects.create(pk=pk, sealed=seal_secret(secret, pk))
            if link is not None:
                link.campaign.pseudonym_key = row
                link.campaign.save(update_fields=["pseudonym_key"])
            self._made[name] = row, Pseudonyms(pk, secret)
        return self._made[name]


class Migration(migrations.Migration):
    initial = True
    dependencies = [("scans", "0002_pseudonym_keys"), ("work", "0003_campaign_pseudonym_key")]
    operations = [migrations.RunPython(rekey, migrations.RunPython.noop)]
