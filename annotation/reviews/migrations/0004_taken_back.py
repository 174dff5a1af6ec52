from django.db import migrations, models

STATES = ["approved", "arbitration", "claimed", "corrected", "pending", "returned", "taken_back", "withdrawn"]


class Migration(migrations.Migration):
    dependencies = [("reviews", "0003_looked_at")]

    operations = [
        migrations.RemoveConstraint("reviewround", "review_round_state_known"),
        migrations.AddConstraint(
            "reviewround",
            models.CheckConstraint(condition=models.Q(("state__in", STATES)), name="review_round_state_known"),
        ),
        migrations.RemoveConstraint("reviewround", "review_round_number_once"),
        migrations.AddConstraint(
            "reviewround",
            models.UniqueConstraint(
                fields=("annotation", "number"),
                condition=models.Q(("state", "taken_back"), _negated=True),
                name="review_round_number_once",
            ),
        ),
    ]
