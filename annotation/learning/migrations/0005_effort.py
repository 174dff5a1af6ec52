import django.db.models.deletion
from django.db import migrations, models

ARMS = [
    ("shown", "Began from the newest model's mask"),
    ("older", "Began from an older model's mask"),
    ("blank", "Began blank, though a model had a mask"),
    ("none", "No model had a mask"),
    ("imported", "Began from an imported mask"),
    ("repeat", "Second reading, blank"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("learning", "0004_portable"),
        ("scans", "0003_erased"),
        ("work", "0010_choosing"),
    ]

    operations = [
        migrations.AddField("preannotation", "extent_ml_by_class", models.JSONField(default=dict)),
        migrations.CreateModel(
            name="ScanEmbedding",
            fields=[
                (
                    "scan",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="embedding",
                        serialize=False,
                        to="scans.scan",
                    ),
                ),
                ("numbers", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Effort",
            fields=[
                (
                    "assignment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="effort",
                        serialize=False,
                        to="work.assignment",
                    ),
                ),
                ("arm", models.CharField(choices=ARMS, max_length=8)),
                ("drawn_ml", models.FloatField()),
                ("predicted_ml", models.FloatField(null=True)),
                ("added_ml", models.FloatField(null=True)),
                ("removed_ml", models.FloatField(null=True)),
                ("repeat_dice", models.FloatField(null=True)),
                ("strokes", models.PositiveIntegerField()),
                ("active_seconds", models.PositiveIntegerField()),
                ("measured_at", models.DateTimeField()),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="efforts", to="work.campaign"
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="efforts",
                        to="learning.modelversion",
                    ),
                ),
            ],
            options={
                "ordering": ["campaign", "assignment"],
                "indexes": [models.Index(fields=["campaign", "arm"], name="effort_arm")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("arm__in", ["shown", "older", "blank", "none", "imported", "repeat"])),
                        name="effort_arm_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("arm__in", ["shown", "older", "blank"]), _negated=True)
                        | models.Q(("added_ml__isnull", False), ("model__isnull", False)),
                        name="effort_measured_against_a_model",
                    ),
                ],
            },
        ),
    ]
