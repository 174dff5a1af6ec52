"""The limits of the gate, named, in one place. docs/gate.md says how often it errs with them."""

from __future__ import annotations

import math

import msgspec

from voxloop.child import ContractError, Document, require


class GatePolicy(Document, frozen=True):
    """Limits and levels by which a challenger is judged. Levels are one-sided, of Student's t."""

    dice_margin: float = 0.02  # a mean Dice that may be lost: less than two readers differ by
    dice_level: float = 0.95  # at which a larger loss must be excluded
    least_scored: int = 12  # scored hold-out scans, else a person decides
    site_loss: float = 0.02
    site_level: float = 0.80  # at which the loss of a site must be shown
    site_scored: int = 6  # scored scans, else the site is not judged
    false_ratio: float = 1.25  # of mL on empty scans
    false_level: float = 0.90
    false_scans: int = 5  # empty scans, else false positives are not judged
    false_floor_ml: float = 2.0  # amounts below count as this much: the ratio of two small amounts says nothing
    first_scored: int = 5  # scored scans that a first model needs
    first_dice: float = 0.50  # which at least that many of them, and half of all, must reach (docs/gate.md)

    def __post_init__(self) -> None:
        levels = (self.dice_level, self.site_level, self.false_level)
        require(all(0.5 < level < 1 for level in levels), "Levels of the gate lie between 0.5 and 1.")
        shares = (self.dice_margin, self.site_loss, self.first_dice)
        require(all(0 <= share <= 1 for share in shares), "Limits on Dice lie between 0 and 1.")
        counts = (self.least_scored, self.site_scored, self.false_scans, self.first_scored)
        require(all(2 <= count <= 10_000 for count in counts), "Numbers of scans lie between 2 and 10000.")
        require(1 <= self.false_ratio <= 100 and 0 < self.false_floor_ml <= 1000, "The limits on false mL are absurd.")

    @classmethod
    def read(cls, text: str) -> GatePolicy:
        """The policy with changes such as `least_scored=20 dice_margin=0.01`. Raises ContractError `bad_request`."""
        fields = {field.name: field.type for field in msgspec.structs.fields(cls)}
        changes: dict[str, float] = {}
        for part in text.replace(",", " ").split():
            name, _, value = part.partition("=")
            require(name in fields, f"The gate has no limit {name!r}; it has {', '.join(fields)}.")
            try:
                number = float(value)
            except ValueError as error:
                raise ContractError("bad_request", f"The gate's {name} is no number: {value!r}.") from error
            require(math.isfinite(number), f"The gate's {name} is no number: {value!r}.")
            is_count = isinstance(getattr(cls(), name), int)
            require(not is_count or number.is_integer(), f"The gate's {name} is a number of scans.")
            changes[name] = int(number) if is_count else number
        return cls(**changes)  # type: ignore[arg-type]
