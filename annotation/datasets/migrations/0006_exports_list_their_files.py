from typing import Any

from django.db import migrations, models


def hide_folders(apps: Any, schema_editor: Any) -> None:
    """A job's result is shown on pages: folders of the server do not belong there."""
    for job in apps.get_model("jobs", "Job").objects.filter(kind="export_release", result__place__startswith="file:"):
        del job.result["place"]
        job.save(update_fields=["result"])


class Migration(migrations.Migration):
    dependencies = [("datasets", "0005_erased_from_lists"), ("jobs", "0004_kind_collect")]

    operations = [
        migrations.AddField("export", "bytes", models.BigIntegerField(default=0)),
        migrations.AddField("export", "files", models.JSONField(null=True)),
        migrations.RunPython(hide_folders, migrations.RunPython.noop, elidable=True),
    ]
