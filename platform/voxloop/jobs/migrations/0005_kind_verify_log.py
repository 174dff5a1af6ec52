from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0004_kind_collect"),
    ]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="kind",
            field=models.CharField(
                choices=[
                    ("import_scans", "Import scans"),
                    ("train", "Train a model"),
                    ("preannotate", "Pre-annotate scans"),
                    ("export_release", "Export a release"),
                    ("scrub", "Check what is stored"),
                    ("collect_unreferenced", "Collect what nothing names"),
                    ("verify_log", "Verify the audit log"),
                ],
                max_length=32,
            ),
        ),
    ]
