from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0003_evidence"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="portable",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="portable_key",
            field=models.CharField(blank=True, max_length=100, default=""),
            preserve_default=False,
        ),
    ]
