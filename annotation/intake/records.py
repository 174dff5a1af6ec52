"""Clinical records from a site's sheet: read in a child process, previewed, and stored for the subjects it names.

A record replaces what the last sheet said in the fields that the sheet has, so that the same sheet changes nothing and
a corrected one corrects. No date is stored: days are re-keyed as those of the studies are (docs/adr/0048)."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from annotation.intake.child import child_environment
from annotation.intake.clinical.mapping import SheetMapping, mapping_of
from annotation.intake.clinical.people import Fault, Person, read_people
from annotation.intake.clinical.read import ReadSheet, SheetRead
from annotation.intake.clinical.sheet import ASK, LARGEST_BYTES, SUFFIXES, Sheet
from annotation.intake.rekeying import Rekeyer
from annotation.intake.services import check_may_import
from annotation.scans.models import ClinicalMapping, ClinicalRecord, ErasedSubject, PathogenTest, Site, Study, Subject
from annotation.work.eligibility.judging import judge_subjects
from annotation.work.models import Campaign
from voxloop.accounts.models import User
from voxloop.audit.services import make_entry, record, record_all
from voxloop.child import Bounds, ChildError, to_json
from voxloop.child.outside import run_child
from voxloop.jobs.scratch import of_process
from voxloop.kernel.clock import now
from voxloop.kernel.errors import FULL, Invalid, NoSpace, TooLarge

MEMORY_BYTES, TIMEOUT_S = 2 << 30, 60.0
PLAIN = {"age": "age_years", "sex": "sex", "hospitalisation": "hospitalisation", "diagnosis": "diagnosis"}
FAR_DAYS = 366  # tests that are all this far from every scan: the dates were not moved with those of the images
DayTest = tuple[str, int, str]  # pathogen, day on the subject's scale, result


@dataclass
class Change:
    """What a sheet would change of one subject: names of fields; `is_new` without a record so far."""

    subject: Subject
    is_new: bool
    values: dict[str, Any]
    tests: set[DayTest] | None  # None: the sheet tells no tests
    fields: list[str]


@dataclass
class Plan:
    """What storing a sheet would do. `same` counts people whose record would stay as it is."""

    rows: int
    people: int
    changes: list[Change] = field(default_factory=list)
    same: int = 0
    faults: list[Fault] = field(default_factory=list)
    far: list[int] = field(default_factory=list)  # first lines of people whose tests are far from every scan

    @property
    def new(self) -> int:
        """Records that would be made."""
        return sum(change.is_new for change in self.changes)

    @property
    def changed(self) -> int:
        """Records that would be changed."""
        return len(self.changes) - self.new

    def to_json(self) -> dict[str, Any]:
        """Counts and faults, for programs; no value of the sheet."""
        return {
            "rows": self.rows,
            "people": self.people,
            "new": self.new,
            "changed": self.changed,
            "same": self.same,
            "far": self.far,
            "faults": [
                {"line": one.line, "column": one.column, "code": one.code, "reason": one.sentence}
                for one in self.faults
            ],
        }


def read_upload(upload: Any) -> Sheet:
    """The sheet of an uploaded file (`name`, `size`, `chunks()`). Raises as `read_path`, TooLarge."""
    if not str(upload.name).lower().endswith(SUFFIXES):
        raise Invalid(ASK, code="unknown_file")
    if upload.size > LARGEST_BYTES:
        raise TooLarge(f"A sheet holds at most {LARGEST_BYTES >> 20} MiB; send it in parts.", code="sheet_too_large")
    folder = of_process("uploads")
    try:
        folder.mkdir(parents=True)
        path = folder / "sheet.csv"
        with path.open("wb") as handle:
            for block in upload.chunks():
                handle.write(block)
        return read_path(path)
    except OSError as error:
        if error.errno in FULL:
            raise NoSpace from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_path(path: Path) -> Sheet:
    """Read a sheet in a child process; nothing is stored. Raises Invalid (`unknown_file`, `bad_encoding`,
    `empty_sheet`, `bad_columns`, `sheet_unreadable`), TooLarge (`sheet_too_large`), NoSpace."""
    folder = of_process("uploads")
    try:
        found = run_child(
            "annotation.intake.clinical.read",
            ReadSheet(str(path.resolve())),
            SheetRead,
            folder=folder,
            environment=child_environment(folder),
            on_look=lambda lines: None,
            bounds=Bounds(memory_bytes=MEMORY_BYTES, cpu_s=int(TIMEOUT_S), file_bytes=64 * LARGEST_BYTES),
            timeout_s=TIMEOUT_S,
        )
    except ChildError as end:
        if end.code == "no_space":
            raise NoSpace from end
        raise Invalid(f"The sheet cannot be read. {ASK}", code="sheet_unreadable") from end
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if found.sheet is None:
        raise (TooLarge if found.code == "sheet_too_large" else Invalid)(found.sentence, code=found.code)
    return found.sheet


def plan_records(*, site: Site, campaign: Campaign, sheet: Sheet, mapping: SheetMapping, actor: User) -> Plan:
    """What storing would do. Raises NotFound, Forbidden, Invalid (`bad_mapping`)."""
    check_may_import(site, campaign, actor)
    people, faults = read_people(sheet, mapping)
    plan = Plan(rows=len(sheet.rows) + len(sheet.ragged), people=len(people), faults=faults)
    codes = Rekeyer(site=site, campaign=campaign).codes_of(list(people))
    subjects = _subjects_of(site, codes)
    erased = set(ErasedSubject.objects.filter(site=site).values_list("pseudonym", flat=True))
    days = _days_of(subjects)
    column = mapping.column_of("pseudonym") or ""
    for name, person in people.items():
        found = [subjects[code] for code in (name, *codes[name]) if code in subjects]
        if not found:
            plan.faults += [_nobody(line, column, bool(erased & {name, *codes[name]})) for line in person.lines]
            continue
        subject = found[0]
        _, opened = codes[name].get(subject.pseudonym) or next(iter(codes[name].values()))
        tests: set[DayTest] = {(test[0], opened.day(subject.pseudonym, test[1]), test[2]) for test in person.tests}
        change = _change_of(subject, person, tests if mapping.has_tests else None)
        if change.fields:
            plan.changes.append(change)
        else:
            plan.same += 1
        apart = [abs(test[1] - day) for test in tests for day in days.get(subject.pk, [])]
        if apart and min(apart) > FAR_DAYS:
            plan.far.append(person.lines[0])
    plan.faults.sort()
    return plan


@transaction.atomic
def store_records(*, site: Site, campaign: Campaign, sheet: Sheet, mapping: SheetMapping, actor: User) -> Plan:
    """Store what `plan_records` tells, and remember the mapping for the site; returns what was done. The log tells who
    changed which fields of which record, never a value: it outlives an erasure."""
    Site.objects.select_for_update().get(pk=site.pk)  # sheets of a site come one after the other
    plan = plan_records(site=site, campaign=campaign, sheet=sheet, mapping=mapping, actor=actor)
    _write(plan.changes, actor)
    definition = {name: value for name, value in to_json(mapping).items() if name != "contract"}
    ClinicalMapping.objects.update_or_create(site=site, defaults={"definition": definition})
    told = {"campaign": campaign.slug, "rows": plan.rows, "new": plan.new, "changed": plan.changed, "same": plan.same}
    record(actor=actor, action="clinical.sheet_stored", target=site, new={**told, "faults": len(plan.faults)})
    judge_subjects([change.subject.pk for change in plan.changes], actor)
    return plan


def _write(changes: Sequence[Change], actor: User) -> None:
    """Records, tests and log entries of all changes, a statement each: a sheet may have thousands."""
    rows = [getattr(change.subject, "clinical", None) or ClinicalRecord(subject=change.subject) for change in changes]
    for change, row in zip(changes, rows, strict=True):
        row.changed_at = now()
        for name, value in change.values.items():
            setattr(row, name, value)
    fresh = [row for change, row in zip(changes, rows, strict=True) if change.is_new]
    known = [row for change, row in zip(changes, rows, strict=True) if not change.is_new]
    ClinicalRecord.objects.bulk_create(fresh, batch_size=1000)
    ClinicalRecord.objects.bulk_update(known, [*PLAIN.values(), "changed_at"], batch_size=1000)
    tested = [(change, row) for change, row in zip(changes, rows, strict=True) if "tests" in change.fields]
    PathogenTest.objects.filter(record__in=[row.pk for _, row in tested]).delete()
    PathogenTest.objects.bulk_create(
        (
            PathogenTest(record=row, pathogen=pathogen, day=day, result=result)
            for change, row in tested
            for pathogen, day, result in sorted(change.tests or ())
        ),
        batch_size=1000,
    )
    record_all(
        make_entry(
            actor=actor,
            action="clinical.stored" if change.is_new else "clinical.changed",
            target=row,
            new={"fields": change.fields},
        )
        for change, row in zip(changes, rows, strict=True)
    )


def remembered_mapping(site: Site) -> SheetMapping | None:
    """The mapping of the site's last sheet."""
    kept = ClinicalMapping.objects.filter(site=site).first()
    return None if kept is None else mapping_of(kept.definition)


def _subjects_of(site: Site, codes: Mapping[str, Mapping[str, Any]]) -> dict[str, Subject]:
    """Subjects of the site by pseudonym, as the sheet names them: by the code of the files or by ours."""
    wanted = {code for name, found in codes.items() for code in (name, *found)}
    rows = Subject.objects.filter(site=site, pseudonym__in=wanted).select_related("clinical")
    return {subject.pseudonym: subject for subject in rows.prefetch_related("clinical__tests")}


def _days_of(subjects: Mapping[str, Subject]) -> dict[Any, list[int]]:
    days: dict[Any, list[int]] = {}
    rows = Study.objects.filter(subject__in=[subject.pk for subject in subjects.values()])
    for subject, day in rows.values_list("subject_id", "day"):
        if day is not None:
            days.setdefault(subject, []).append(day)
    return days


def _change_of(subject: Subject, person: Person, tests: set[DayTest] | None) -> Change:
    kept: ClinicalRecord | None = getattr(subject, "clinical", None)
    values = {PLAIN[name]: (value if name == "age" else value or "") for name, value in person.values.items()}
    fields: Sequence[str] = [name for name, value in values.items() if kept is None or getattr(kept, name) != value]
    stored = {(test.pathogen, test.day, test.result) for test in kept.tests.all()} if kept else set()
    told = [*fields, *(["tests"] if tests is not None and (kept is None or tests != stored) else [])]
    if kept is None and not told:
        told = ["record"]  # a sheet of pseudonyms alone: that there is a record is a fact, too
    return Change(subject, kept is None, values, tests, told)


def _nobody(line: int, column: str, is_erased: bool) -> Fault:
    if is_erased:
        return Fault(line, column, "subject_erased", "The patient was erased here; take the row out of the sheet.")
    told = "No scan of this pseudonym has come in from the site: send the scans first, or correct the pseudonym."
    return Fault(line, column, "unknown_pseudonym", told)
