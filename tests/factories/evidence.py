"""What the evaluation of a model leaves behind: summaries, verdicts, cases."""

from typing import Any
from uuid import uuid4

import msgspec

from annotation.learning import deciding
from annotation.learning.models import ModelVersion, TrainingRun
from annotation.scans.models import Scan
from mlservice.cases import draw_case
from mlservice.contract import GatePolicy, ScanRef, ScanScore
from mlservice.contract.results import Lesion, Summary
from mlservice.evaluate import summarise
from mlservice.gate import judge
from tests.factories.world import SHAPE, World, ball
from voxloop.kernel.clock import now

FINE = [0.6 + 0.01 * number for number in range(12)]
UNSURE = [dice + 0.2 * (-1) ** number for number, dice in enumerate(FINE)]  # as good on average, not shown to be


def case_of(scan: Scan, *, champion: bool = True) -> dict[str, Any]:
    """A case of the worst scans, as the evaluation stores it."""
    reference, said = ball(SHAPE, 12.0) > 0, ball(SHAPE, 8.0) > 0
    score = score_of(scan, 0.4)
    shape = ScanRef(str(scan.pk), scan.site.code, "f", (4.0, 1.8, 1.8))
    case = draw_case(shape, (reference, said, said if champion else None), score, score if champion else None)
    found: dict[str, Any] = msgspec.to_builtins(case)
    return found


def score_of(scan: Scan | str, dice: float | None, *, site: str = "c", ml: float = 40.0) -> ScanScore:
    """A score; without Dice of an empty scan."""
    name = scan if isinstance(scan, str) else str(scan.pk)
    if dice is None:
        return ScanScore(name, site, None, 0, 0.0, ml, ml)
    return ScanScore(name, site, dice, 5000, 50.0, ml, 3.0, (Lesion(0.5, 0.0), Lesion(20.0, dice)), 1)


def summary_of(dices: list[float], *, empty_ml: tuple[float, ...] = (), site: str = "c") -> Summary:
    """A model over scans of one site."""
    scored = [score_of(f"{site}{number}", dice, site=site) for number, dice in enumerate(dices)]
    empty = [score_of(f"{site}-empty{number}", None, site=site, ml=ml) for number, ml in enumerate(empty_ml)]
    return summarise((*scored, *empty))


def listed(scan: Scan, side: str, revision: str | None) -> dict[str, Any]:
    """An item of a frozen list, of site a or c."""
    site = "a" if side == "train" else "c"
    return {"site": site, "split": side, "revision": revision, "round": str(uuid4()), "scan": str(scan.pk)}


def measured(
    world: World, number: int, challenger: Summary, champion: Summary | None = None, *, cases: list[Any] | None = None
) -> tuple[ModelVersion, dict[str, Any]]:
    """A candidate with the gate's document, not yet decided about."""
    gate = msgspec.to_builtins(judge(challenger, champion, GatePolicy()))
    results = {"challenger": challenger, "champion": champion, "cases": cases or []}
    run = TrainingRun.objects.create(
        campaign=world.campaign,
        number=number,
        state="candidate",
        profile="demo",
        seed=number,
        manifest={
            "layer": "findings",
            "segments": [{"id": 1, "key": "infectious_opacity"}, {"id": 4, "key": "nodule"}],
            "code": "abc",
            "items": [
                listed(world.scans[0], "train", "r"),
                listed(world.scans[1], "train", None),
                listed(world.scans[2], "validation", "r"),
            ],
        },
        manifest_hash="0" * 64,
        gate=gate,
        results=msgspec.to_builtins(results),
        curves={"train": [{"step": 10, "loss": 1.0}, {"step": 20, "loss": 0.5}]},
        ended_at=now(),
    )
    model = ModelVersion.objects.create(
        campaign=world.campaign,
        number=number,
        run=run,
        weights_key="models/x",
        config={
            "config": {"steps": 20, "network": "basic_unet_2d", "classes": [{"id": 1, "key": "infectious_opacity"}]}
        },
        metrics=msgspec.to_builtins(challenger),
    )
    return model, gate


def two_models(world: World, challenger: list[float], champion: list[float]) -> ModelVersion:
    """A champion, and a challenger that was judged against it, with one case; returns the challenger."""
    old, new = summary_of(champion, empty_ml=(1.0,) * 5), summary_of(challenger, empty_ml=(1.0,) * 5)
    first, _ = measured(world, 1, old)
    deciding.promote_model(model_id=first.pk, actor=world["coordinator"])
    model, gate = measured(world, 2, new, old, cases=[case_of(world.scans[2])])
    return deciding.decide(model=model, gate=gate)
