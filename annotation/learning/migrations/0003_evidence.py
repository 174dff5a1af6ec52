from collections.abc import Callable
from typing import Any

from django.db import migrations, models

RUN_STATES = ["cancelled", "candidate", "evaluating", "failed", "lost", "promoted", "queued", "rejected", "running"]
MODEL_STATES = ["candidate", "champion", "rejected", "replaced"]


def known_states(model: str, name: str, before: list[str]) -> list[Any]:
    """The constraint on states with `undecided`."""
    after = models.CheckConstraint(condition=models.Q(state__in=sorted([*before, "undecided"])), name=name)
    return [migrations.RemoveConstraint(model, name), migrations.AddConstraint(model, after)]


def rewrite_gates(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any, Any], None]:
    def run(apps: Any, schema_editor: Any) -> None:
        rows = apps.get_model("learning", "TrainingRun").objects.filter(gate__isnull=False)
        for row in rows.only("pk", "gate").iterator():
            row.gate = change(row.gate)
            row.save(update_fields=["gate"])

    return run


def to_outcomes(gate: dict[str, Any]) -> dict[str, Any]:
    """What the earlier rules said, in the words of now; they had no policy, changes or sites."""
    if "verdict" in gate:
        return gate
    rules = [
        {**{key: value for key, value in rule.items() if key != "holds"}, "outcome": outcome}
        for rule in gate.get("rules", [])
        for outcome in ["holds" if rule.get("holds") else "fails"]
    ]
    return {"verdict": "promote" if gate.get("holds") else "hold_back", "rules": rules}


def to_booleans(gate: dict[str, Any]) -> dict[str, Any]:
    rules = [
        {**{key: value for key, value in rule.items() if key != "outcome"}, "holds": rule["outcome"] != "fails"}
        for rule in gate.get("rules", [])
    ]
    return {"holds": gate.get("verdict") == "promote", "rules": rules}


def date_champions(apps: Any, schema_editor: Any) -> None:
    """A champion of before has a date of promotion; one made by hand may not."""
    versions = apps.get_model("learning", "ModelVersion").objects
    versions.filter(state="champion", promoted_at__isnull=True).update(promoted_at=models.F("created_at"))


def settle_undecided(apps: Any, schema_editor: Any) -> None:
    """Backwards: the state did not exist; such a version waits as a candidate."""
    for name in ("TrainingRun", "ModelVersion"):
        apps.get_model("learning", name).objects.filter(state="undecided").update(state="candidate")


class Migration(migrations.Migration):
    dependencies = [("learning", "0002_embedding")]

    operations = [
        migrations.AddField("modelversion", "replaced_at", models.DateTimeField(null=True)),
        *known_states("trainingrun", "training_run_state_known", RUN_STATES),
        *known_states("modelversion", "model_version_state_known", MODEL_STATES),
        migrations.RunPython(migrations.RunPython.noop, settle_undecided),
        migrations.RunPython(rewrite_gates(to_outcomes), rewrite_gates(to_booleans)),
        migrations.RunPython(date_champions, migrations.RunPython.noop),
        migrations.AddConstraint(
            "modelversion",
            models.CheckConstraint(
                condition=models.Q(("state", "champion"), _negated=True)
                | models.Q(("promoted_at__isnull", False), ("replaced_at__isnull", True)),
                name="model_version_champion_serves",
            ),
        ),
    ]
