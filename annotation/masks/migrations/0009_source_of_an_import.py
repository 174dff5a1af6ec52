from django.db import migrations, models


class Migration(migrations.Migration):
    """A mask from elsewhere names the file that it came from."""

    dependencies = [("masks", "0008_accepted_lesions")]
    operations = [migrations.AddField("maskrevision", "source", models.JSONField(null=True))]
