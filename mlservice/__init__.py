"""Training and prediction, one stage per file; a stage reads a job folder and writes its result there. Independent of
Django, database and bucket: `annotation.learning` prepares the folder and starts `python -m mlservice.<stage> JOB_DIR`.
Requests and results are defined in `mlservice.contract`."""

import os

# Read by OpenMP when torch is loaded. With spinning threads, 120 demo steps took 148 s instead of 31 s on two busy
# cores, as in the demonstration.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
