"""Bad inputs, named and generated from a seed, sent to a running product: its responses, and what they left behind."""

from benchmarks._badinputs.running import Facts, Sender, over_http, run_bad_inputs
from benchmarks._badinputs.world import SEED, Targets

__all__ = ["SEED", "Facts", "Sender", "Targets", "over_http", "run_bad_inputs"]
