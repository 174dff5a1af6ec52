from django.db import migrations, models


class Migration(migrations.Migration):
    """What a person has measured is kept with the work."""

    dependencies = [("work", "0007_pause_reason")]
    operations = [migrations.AddField("assignment", "marks", models.JSONField(default=dict))]
