from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("work", "0008_marks"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="retrain_every_days",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="campaign",
            name="train_start",
            field=models.CharField(
                choices=[
                    ("scratch", "Random ones: every training begins anew"),
                    ("champion", "Those of the model that serves"),
                ],
                default="scratch",
                max_length=8,
            ),
        ),
    ]
