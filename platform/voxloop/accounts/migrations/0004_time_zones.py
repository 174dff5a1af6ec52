from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_tokens_with_scopes")]

    operations = [
        migrations.AddField("user", "time_zone", models.CharField(blank=True, default="", max_length=40)),
        migrations.AddField("user", "browser_zone", models.CharField(blank=True, default="", max_length=40)),
    ]
