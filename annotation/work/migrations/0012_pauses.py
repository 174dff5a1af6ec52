from django.db import migrations, models
from django.db.models import Q

HAS_REASON = Q(is_paused=False) | ~Q(pause_reason="")


class Migration(migrations.Migration):
    dependencies = [
        ("work", "0011_overlap"),
    ]

    operations = [
        *(
            migrations.AddField(model_name=model, name=name, field=field)
            for model in ("batch", "campaignmember")
            for name, field in (
                ("is_paused", models.BooleanField(default=False)),
                ("pause_reason", models.CharField(blank=True, max_length=500)),
            )
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(condition=HAS_REASON, name="batch_pause_has_reason"),
        ),
        migrations.AddConstraint(
            model_name="campaignmember",
            constraint=models.CheckConstraint(condition=HAS_REASON, name="campaign_member_pause_has_reason"),
        ),
    ]
