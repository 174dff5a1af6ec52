import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """How sure a model was, beside its prediction; appended, never edited."""

    dependencies = [("masks", "0002_append_only")]
    operations = [
        migrations.CreateModel(
            name="ProbabilityMap",
            fields=[
                (
                    "revision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="probability_map",
                        serialize=False,
                        to="masks.maskrevision",
                    ),
                ),
                ("key", models.CharField(max_length=100)),
                ("facts", models.JSONField()),
                ("segment", models.PositiveSmallIntegerField(null=True)),
            ],
        ),
        migrations.RunSQL(
            "CREATE TRIGGER masks_probabilitymap_append_only BEFORE UPDATE OR DELETE ON masks_probabilitymap "
            "FOR EACH ROW EXECUTE FUNCTION voxloop_refuse_change();",
            "DROP TRIGGER masks_probabilitymap_append_only ON masks_probabilitymap;",
        ),
    ]
