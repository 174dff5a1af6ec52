"""Bad inputs, by name and made from a seed, sent to a running product: what it answered and what they left behind."""

from benchmarks._badinputs.running import Door, Facts, over_http, run_bad_inputs
from benchmarks._badinputs.world import SEED, Places

__all__ = ["SEED", "Door", "Facts", "Places", "over_http", "run_bad_inputs"]
