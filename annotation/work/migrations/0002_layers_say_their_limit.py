from typing import Any

from django.db import migrations


def keep_within_lungs(apps: Any, _: Any) -> None:
    """Before a layer could say so, everything that was drawn was held against the lungs."""
    for schema in apps.get_model("work", "LabelSchema").objects.all():
        for layer in schema.definition["layers"]:
            if layer.get("editable", True):
                layer.setdefault("limit", "lungs")
        schema.save(update_fields=["definition"])


class Migration(migrations.Migration):
    dependencies = [("work", "0001_initial")]

    operations = [migrations.RunPython(keep_within_lungs, migrations.RunPython.noop)]
