from django.db import migrations, models


class Migration(migrations.Migration):
    """What became of each proposed lesion is counted when the work is handed in."""

    dependencies = [("reviews", "0004_taken_back")]
    operations = [migrations.AddField("roundmask", "lesions", models.JSONField(null=True))]
