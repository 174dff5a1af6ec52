from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("work", "0003_campaign_pseudonym_key")]

    operations = [
        migrations.AddField(model_name="assignment", name="active_periods", field=models.JSONField(default=dict)),
    ]
