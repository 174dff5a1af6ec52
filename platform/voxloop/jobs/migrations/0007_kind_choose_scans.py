from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0006_kind_models")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="kind",
            field=models.CharField(
                choices=[
                    ("import_scans", "Import scans"),
                    ("train", "Train a model"),
                    ("preannotate", "Pre-annotate scans"),
                    ("bring_model", "Bring a model"),
                    ("export_model", "Pack a model"),
                    ("choose_scans", "Choose what to label next"),
                    ("export_release", "Export a release"),
                    ("scrub", "Check what is stored"),
                    ("collect_unreferenced", "Collect what nothing names"),
                    ("verify_log", "Verify the audit log"),
                ],
                max_length=32,
            ),
        ),
    ]
