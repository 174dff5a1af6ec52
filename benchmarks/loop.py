"""Duration of each step of the loop in a new demonstration, and of a second start."""

from collections.abc import Iterator
from typing import Any

from benchmarks._demo import RunningDemo, is_complete, is_running, running_demo, temporary_state
from benchmarks._rows import plain_row

FIRST_PAGE_SECONDS = 60.0
SECOND_START_SECONDS = 15.0
WHOLE_SECONDS = 360.0

# Step, and query for the seconds and the number of things they were spent on.
STATIONS = {
    "import, worker time a scan": """
        SELECT sum(extract(epoch FROM ended_at - started_at)),
               (SELECT count(*) FROM scans_scan WHERE state = 'ready')
        FROM jobs_job WHERE kind = 'import_scans' AND state = 'succeeded'""",
    "label and submit, a scan": """
        SELECT sum(extract(epoch FROM submitted_at - opened_at)), count(*)
        FROM work_assignment WHERE stage = 'annotation' AND submitted_at IS NOT NULL""",
    "review, a scan": """
        SELECT sum(extract(epoch FROM ended_at - claimed_at)), count(*)
        FROM reviews_reviewround WHERE ended_at IS NOT NULL""",
    "train and evaluate": """
        SELECT sum(extract(epoch FROM ended_at - started_at)), count(*)
        FROM learning_trainingrun WHERE ended_at IS NOT NULL""",
    "pre-annotate, worker time a scan": """
        SELECT sum(extract(epoch FROM ended_at - started_at)),
               (SELECT count(*) FROM learning_preannotation WHERE state IN ('ready', 'used'))
        FROM jobs_job WHERE kind = 'preannotate' AND state = 'succeeded'""",
}


def run() -> Iterator[dict[str, Any]]:
    """Rows of seconds."""
    with temporary_state() as state:
        with running_demo(state) as demo:
            yield plain_row("loop", "first page", demo.wait(is_running, "the first page"), "s", FIRST_PAGE_SECONDS)
            whole = demo.wait(is_complete, "the first model and the batch of 50")
            yield from stations(demo)
            yield plain_row("loop", "first model and batch of 50", whole, "s", WHOLE_SECONDS)
        with running_demo(state) as demo:
            yield plain_row(
                "loop", "second start", demo.wait(is_running, "the second start"), "s", SECOND_START_SECONDS
            )


def stations(demo: RunningDemo) -> Iterator[dict[str, Any]]:
    """Seconds of each step, from the times in the database."""
    for case, question in STATIONS.items():
        ((seconds, things),) = demo.query(question)
        if things:
            yield plain_row("loop", case, float(seconds or 0) / things, "s")
