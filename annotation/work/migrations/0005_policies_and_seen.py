from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("work", "0004_active_periods")]

    operations = [
        migrations.AddField("assignment", "seen", models.JSONField(default=dict)),
        migrations.AddField(
            "campaign",
            "signature_policy",
            models.CharField(
                max_length=8,
                choices=[
                    ("always", "Every time"),
                    ("recent", "When it was last entered more than 30 minutes ago"),
                    ("log_in", "Never: the log-in is enough"),
                ],
                default="recent",
            ),
        ),
        migrations.AddField(
            "campaign",
            "seen_policy",
            models.CharField(
                max_length=8, choices=[("off", "Nothing"), ("warn", "Warn"), ("block", "Refuse")], default="warn"
            ),
        ),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                condition=models.Q(("signature_policy__in", ["always", "recent", "log_in"])),
                name="campaign_signature_policy_known",
            ),
        ),
        migrations.AddConstraint(
            "campaign",
            models.CheckConstraint(
                condition=models.Q(("seen_policy__in", ["off", "warn", "block"])), name="campaign_seen_policy_known"
            ),
        ),
    ]
