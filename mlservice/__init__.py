"""Training and prediction, one stage per file; a stage reads a job folder and writes its result there.

Nothing here knows Django, a database or a bucket: `annotation.learning` prepares the folder and starts
`python -m mlservice.<stage> JOB_DIR`. The documents on both sides are in `mlservice.contract`.
"""

import os

# Read by OpenMP when torch is loaded. Threads that spin while they wait made 120 demo steps take 148 s instead of
# 31 s on two cores that were busy with other work, as they are in the demonstration.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
