"""Models that hold a label schema in place (annotation.work.schema_uses): what they were taught they go on marking."""

from annotation.learning.models import TrainingRun
from annotation.work.models import Campaign
from annotation.work.schema_uses import Uses, counted


def count_models(campaign: Campaign, uses: Uses) -> None:
    """Add the trainings by the segments that they learn."""
    found: dict[tuple[str, int], int] = {}
    for manifest in TrainingRun.objects.filter(campaign=campaign).values_list("manifest", flat=True):
        for segment in manifest.get("segments", []):
            key = (str(manifest.get("layer", "")), int(segment["id"]))
            found[key] = found.get(key, 0) + 1
    for key, trainings in sorted(found.items()):
        uses.segments[key].append(counted(trainings, "training"))
        uses.layers[key[0]] = [*dict.fromkeys([*uses.layers[key[0]], "models"])]
