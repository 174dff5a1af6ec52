import django.db.models.deletion
from django.db import migrations, models

STRATEGIES = [
    ("hybrid", "Most useful: unsure, varied, every site in turn"),
    ("entropy", "Least sure first, nothing else"),
    ("foreground_random", "At random, two of three with a predicted finding"),
    ("random", "At random"),
]


class Migration(migrations.Migration):
    """Scores by strategy instead of one score. Old ones are dropped: the next beat asks for new ones."""

    dependencies = [("scans", "0003_erased"), ("work", "0009_training_policy")]

    operations = [
        migrations.RemoveIndex("campaignscan", "campaign_scan_score"),
        migrations.RemoveField("campaignscan", "score"),
        migrations.RemoveField("campaignscan", "score_model"),
        migrations.AddField(
            "campaignscan",
            "score_model",
            models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField("campaignscan", "uncertainty", models.FloatField(null=True)),
        migrations.AddField("campaignscan", "extent_ml", models.FloatField(null=True)),
        migrations.AddField(
            "campaignscan",
            "finding",
            models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField("assignment", "choice", models.JSONField(default=dict)),
        migrations.AddField("campaign", "repeat_share", models.FloatField(default=0.05)),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                condition=models.Q(("repeat_share__gte", 0), ("repeat_share__lte", 0.5)), name="campaign_repeat_share"
            ),
        ),
        migrations.CreateModel(
            name="ScanScore",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("strategy", models.CharField(choices=STRATEGIES, max_length=20)),
                ("score", models.FloatField()),
                ("why", models.CharField(max_length=12)),
                ("surer", models.FloatField(null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="scan_scores", to="work.campaign"
                    ),
                ),
                (
                    "scan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="scan_scores", to="scans.scan"
                    ),
                ),
            ],
            options={
                "ordering": ["campaign", "strategy", "-score"],
                "indexes": [models.Index(fields=["campaign", "strategy", "-score"], name="scan_score_order")],
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "scan", "strategy"), name="scan_score_once"),
                    models.CheckConstraint(
                        condition=models.Q(("strategy__in", ["hybrid", "entropy", "foreground_random", "random"])),
                        name="scan_score_strategy_known",
                    ),
                ],
            },
        ),
    ]
