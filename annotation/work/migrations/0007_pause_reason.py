from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("work", "0006_line_of_work"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="pause_reason",
            field=models.CharField(blank=True, max_length=500),
        ),
    ]
