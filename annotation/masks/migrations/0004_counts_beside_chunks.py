from django.db import migrations, models

# Chunks are deflated already and a list of hashes does not deflate: PostgreSQL need not try at every save.
FORWARD = """
ALTER TABLE masks_maskchunk ALTER data SET STORAGE EXTERNAL;
ALTER TABLE masks_maskrevision ALTER chunks SET STORAGE EXTERNAL;
ALTER TABLE masks_head SET (fillfactor = 70);
"""
BACKWARD = """
ALTER TABLE masks_head RESET (fillfactor);
ALTER TABLE masks_maskrevision ALTER chunks SET STORAGE EXTENDED;
ALTER TABLE masks_maskchunk ALTER data SET STORAGE EXTENDED;
"""


class Migration(migrations.Migration):
    """How many voxels of each value a chunk has stands beside it, so that a save reads no chunk that it replaces."""

    dependencies = [("masks", "0003_probability_map")]
    operations = [
        migrations.AddField("maskchunk", "counts", models.JSONField(null=True)),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
