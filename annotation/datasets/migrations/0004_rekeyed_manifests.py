"""The frozen lists of releases that were made before identifiers were re-keyed name the same codes as the scans now.

A frozen list never changes; this once it must, because it holds what names a patient. The hash that named it before is
kept in it (`rekeyed_from`), so that a copy which was exported earlier can still be told. Copies that are outside keep
the site's identifiers: export again and ask for the old ones back. There is no way back.
"""

import copy
from typing import Any

from django.db import migrations

from annotation.datasets.exporters.manifest import manifest_hash


def rekey(apps: Any, schema_editor: Any) -> None:
    scans = apps.get_model("scans", "Scan").objects.select_related("subject", "series__study")
    rows = [row for row in apps.get_model("datasets", "Release").objects.exclude(manifest=None) if row.manifest]
    if not rows:
        return
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is pending forbids to alter a table
    schema_editor.execute("ALTER TABLE datasets_release DISABLE TRIGGER release_frozen")
    for release in rows:
        frozen = copy.deepcopy(release.manifest)
        for entry in frozen.get("scans", []):
            scan = scans.filter(pk=entry["id"]).first()
            entry["subject"] = scan.subject.pseudonym if scan and scan.subject else None
            entry["uids"] = _uids(scan) if scan and scan.series else {}
        frozen["release"]["rekeyed_from"] = release.manifest_hash
        release.manifest, release.manifest_hash = frozen, manifest_hash(frozen)
        release.save(update_fields=["manifest", "manifest_hash"])
    schema_editor.execute("ALTER TABLE datasets_release ENABLE TRIGGER release_frozen")


def _uids(scan: Any) -> dict[str, str]:
    found = {
        "study": scan.series.study.uid,
        "series": scan.series.uid,
        "frame_of_reference": scan.facts.get("frame_of_reference_uid"),
    }
    return {name: value for name, value in found.items() if value}


class Migration(migrations.Migration):
    dependencies = [("datasets", "0003_frozen"), ("intake", "0001_rekey")]
    operations = [migrations.RunPython(rekey, migrations.RunPython.noop)]
