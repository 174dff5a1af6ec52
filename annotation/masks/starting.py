"""Start an assignment from masks and answers that others have made."""

from collections.abc import Mapping

from django.db import transaction

from annotation.masks.answers import copy_answers
from annotation.masks.models import Head, MaskRevision
from annotation.work.models import Assignment
from annotation.work.requeuing import whole_line


def go_on(assignment: Assignment) -> bool:
    """Start from the masks and answers of whoever had the scan before; False when nobody had opened it. What their work
    started from stays the start: the prediction, or blank."""
    before = whole_line(assignment).exclude(pk=assignment.pk).exclude(starts_from="").first()
    if before is None:
        return False
    for head in before.heads.all():
        Head.objects.get_or_create(
            assignment=assignment, layer=head.layer, defaults={"revision": head.revision, "start": head.start}
        )
    copy_answers(source=before.answer_sets.first(), assignment=assignment)
    assignment.starts_from, assignment.marks = before.starts_from, before.marks
    assignment.save(update_fields=["starts_from", "marks"])
    return True


@transaction.atomic
def copy_heads(*, source: Mapping[str, MaskRevision | None], assignment: Assignment) -> None:
    """Start an assignment from these revisions (a review starts from what was submitted)."""
    for layer, revision in source.items():
        if revision is not None:
            Head.objects.get_or_create(
                assignment=assignment, layer=layer, defaults={"revision": revision, "start": revision}
            )
    assignment.starts_from = Assignment.Start.SUBMISSION
    assignment.save(update_fields=["starts_from"])
