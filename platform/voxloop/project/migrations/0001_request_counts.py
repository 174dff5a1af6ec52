"""Counters of requests. An unlogged table: no write-ahead log, emptied by a crash, which is as good as any start."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.CreateModel(
            name="RequestCount",
            fields=[
                ("key", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("window", models.BigIntegerField()),
                ("count", models.IntegerField()),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE project_requestcount SET UNLOGGED", "ALTER TABLE project_requestcount SET LOGGED"
        ),
    ]
