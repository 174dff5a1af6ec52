from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("work", "0015_paused_since"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="due_days",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="due_days",
            field=models.PositiveSmallIntegerField(default=14),
        ),
    ]
