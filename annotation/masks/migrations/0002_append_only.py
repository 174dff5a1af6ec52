from django.db import migrations

TABLES = ["masks_maskchunk", "masks_maskrevision", "masks_answerset"]


class Migration(migrations.Migration):
    """Masks and answers are appended, never edited."""

    dependencies = [("masks", "0001_initial"), ("audit", "0002_append_only")]
    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION voxloop_refuse_change();",
            f"DROP TRIGGER {table}_append_only ON {table};",
        )
        for table in TABLES
    ]
