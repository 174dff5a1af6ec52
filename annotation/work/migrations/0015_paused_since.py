from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("work", "0014_proposed_and_older"),
    ]

    operations = [
        migrations.AddField(model_name=model, name="paused_at", field=models.DateTimeField(null=True, blank=True))
        for model in ("campaign", "batch", "campaignmember")
    ]
