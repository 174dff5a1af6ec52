"""Clinical records: stored for the subject of the pseudonym, corrected by a later sheet, gone with the patient."""

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from annotation.datasets.flow import age_band, clinical_of
from annotation.intake.clinical.mapping import mapping_of
from annotation.intake.clinical.sheet import Row, Sheet
from annotation.intake.records import plan_records, read_path, remembered_mapping, store_records
from annotation.scans.erasing import plan_erasure
from annotation.scans.models import ClinicalRecord, PathogenTest, Scan, Study
from annotation.work.erasing import erase
from tests.db.test_rekeying import bring, second_study
from tests.factories.world import World
from tests.unit.intake.series import change, make_series
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Forbidden, Invalid, NotFound

pytestmark = pytest.mark.django_db
COLUMNS = ("pseudonym", "age", "sex", "pathogen", "test_date", "result")
MAPPING = {"columns": {name: name for name in COLUMNS}}


def sheet_of(*lines: str) -> Sheet:
    rows = [Row(n, dict(zip(COLUMNS, line.split(","), strict=True))) for n, line in enumerate(lines, start=2)]
    return Sheet(list(COLUMNS), rows)


def store(world: World, *lines: str, who: str = "datamanager", site: str = "a", act: Any = store_records) -> Any:
    return act(
        site=world.sites[site],
        campaign=world.campaign,
        sheet=sheet_of(*lines),
        mapping=mapping_of(MAPPING),
        actor=world[who],
    )


def dated(folder: Path, day: str, **fields: str) -> Path:
    """A series of a study of that day, of the patient P-0001."""
    paths = sorted(second_study(folder, **fields).iterdir()) if fields else make_series(folder)
    change(paths, lambda n, data: setattr(data, "StudyDate", day))
    return folder


def test_a_record_joins_by_the_pseudonym_of_the_files_or_by_ours(world: World, tmp_path: Path) -> None:
    (scan,) = bring(world, dated(tmp_path / "in", "20200301"))
    plan = store(world, "P-0001,44,female,sars_cov_2,2020-02-27,positive", "S0,90,male,,,", "P-0002,1,male,,,")
    assert (plan.rows, plan.new, plan.changed, plan.same) == (3, 2, 0, 0)
    assert [(one.line, one.column, one.code) for one in plan.faults] == [(4, "pseudonym", "unknown_pseudonym")]
    found = scan.subject.clinical
    assert (found.age_years, found.sex, found.diagnosis) == (44, "female", "")
    test = found.tests.get()
    assert (test.pathogen, test.result) == ("sars_cov_2", "positive")
    assert scan.series.study.day - test.day == 3  # days from the test to the scan


def test_no_date_is_stored_and_no_number_tells_one(world: World, tmp_path: Path) -> None:
    (scan,) = bring(world, dated(tmp_path / "in", "20200301"))
    store(world, "P-0001,44,female,sars_cov_2,2020-02-27,positive")
    day = date(2020, 3, 1)
    assert abs(scan.series.study.day - day.toordinal()) > 0
    assert scan.series.study.day % 10_000 != day.toordinal() % 10_000
    with connection.cursor() as cursor:
        for table in ("scans_study", "scans_clinicalrecord", "scans_pathogentest", "audit_auditentry"):
            cursor.execute(
                f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE ANY(%s)', [["%2020-0%", "%202003%"]]
            )
            assert cursor.fetchone() == (0,), table
    (again,) = bring(world, dated(tmp_path / "later", "20200311", StudyInstanceUID="1.2.3.78"))
    assert again.subject == scan.subject
    assert again.series.study.day - scan.series.study.day == 10


def test_the_same_sheet_changes_nothing_and_a_corrected_one_corrects(world: World) -> None:
    lines = ("S0,44,female,sars_cov_2,2020-02-27,positive", "S0,44,female,rsv,2020-02-27,negative", "S3,50,,,,")
    store(world, *lines)
    before = list(PathogenTest.objects.values_list("pk", flat=True))
    told = AuditEntry.objects.filter(action__startswith="clinical.").exclude(action="clinical.sheet_stored")
    assert told.count() == 2
    plan = store(world, *lines)
    assert (plan.new, plan.changed, plan.same) == (0, 0, 2)
    assert list(PathogenTest.objects.values_list("pk", flat=True)) == before
    assert told.count() == 2
    plan = store(world, "S0,45,female,sars_cov_2,2020-02-26,positive", "S3,50,,,,")
    assert (plan.new, plan.changed, plan.same) == (0, 1, 1)
    entry = told.get(action="clinical.changed")
    assert (entry.new, entry.old, entry.actor_name) == ({"fields": ["age_years", "tests"]}, None, "datamanager")
    record = ClinicalRecord.objects.get(subject__pseudonym="S0")
    assert (record.age_years, record.tests.count()) == (45, 1)
    assert mapping_of(MAPPING) == remembered_mapping(world.sites["a"])


def test_a_preview_changes_nothing(world: World) -> None:
    plan = store(world, "S0,44,female,,,", "S0,45,female,,,", "S3,50,,,,", act=plan_records)
    assert (plan.new, [fault.code for fault in plan.faults]) == (1, ["held_back", "contradiction"])
    assert not ClinicalRecord.objects.exists()
    assert remembered_mapping(world.sites["a"]) is None


def test_dates_that_were_not_moved_with_the_images_are_told(world: World, tmp_path: Path) -> None:
    bring(world, dated(tmp_path / "in", "20150601"))
    assert store(world, "P-0001,44,female,sars_cov_2,2020-02-27,positive").far == [2]
    assert store(world, "P-0001,44,female,sars_cov_2,2015-05-27,positive").far == []


def test_a_scan_of_before_gets_its_day_when_it_is_sent_again(world: World, tmp_path: Path) -> None:
    (scan,) = bring(world, dated(tmp_path / "in", "20200301"))
    kept = scan.series.study.day
    Study.objects.filter(pk=scan.series.study_id).update(day=None)
    bring(world, tmp_path / "in")
    assert Study.objects.get(pk=scan.series.study_id).day == kept


def test_a_record_goes_with_the_patient_and_stays_away(world: World) -> None:
    store(world, "S0,44,female,sars_cov_2,2020-02-27,positive", "S3,50,,,,")
    subject = Scan.objects.get(subject__pseudonym="S0").subject
    assert subject is not None
    assert [line.count for line in plan_erasure(subject) if line.what == "Clinical record"] == [1]
    erase(subject_id=subject.pk, actor=world["datamanager"], why="asked for", confirmation="S0")
    assert [row.subject.pseudonym for row in ClinicalRecord.objects.all()] == ["S3"]
    assert not PathogenTest.objects.exists()
    assert [fault.code for fault in store(world, "S0,44,female,,,").faults] == ["subject_erased"]
    logged = json.dumps(list(AuditEntry.objects.filter(action__startswith="clinical").values_list("new", "old", "why")))
    assert not any(word in logged for word in ("female", "44", "positive", "S0"))


@pytest.mark.parametrize(
    ("years", "band"),
    [(None, ""), (17, "under 18"), (18, "18-19"), (29, "20-29"), (89, "80-89"), (90, "90 and older")],
)
def test_a_release_tells_bands_of_age(years: int | None, band: str) -> None:
    assert age_band(years) == band


def test_a_release_tells_no_age_and_no_test(world: World) -> None:
    store(world, "S0,44,female,sars_cov_2,2020-02-27,positive", "S3,,,,,")
    told = [clinical_of(Scan.objects.get(subject__pseudonym=name)) for name in ("S0", "S3", "S1")]
    assert told == [{"age_band": "40-49", "sex": "female"}, {}, {}]


def test_who_may_not_store(world: World) -> None:
    with pytest.raises(Forbidden):
        store(world, "S0,44,female,,,", who="annotator")
    world.sites["a"].memberships.filter(user=world["datamanager"]).delete()
    with pytest.raises(NotFound):
        store(world, "S0,44,female,,,")


def test_the_command_tells_and_stores(world: World, tmp_path: Path) -> None:
    sheet, mapping = tmp_path / "sheet.csv", tmp_path / "mapping.json"
    sheet.write_text("Pat;Alter\nS0;44\nS0X;44\nS3;old\n")
    mapping.write_text(json.dumps({"columns": {"Pat": "pseudonym", "Alter": "age"}}))
    where = {"site": "a", "campaign": "chest-ct"}

    def run(*words: str, **more: Any) -> str:
        out = io.StringIO()
        call_command("import_clinical", str(sheet), *words, stdout=out, **{**where, **more})
        return out.getvalue()

    assert "1 records would be new" in run("--dry-run", mapping=mapping)
    assert not ClinicalRecord.objects.exists()
    told = json.loads(run("--json", mapping=mapping))
    assert (told["new"], [one["line"] for one in told["faults"]]) == (1, [3, 4])
    assert "0 records are new, 0 changed, 1 as before." in run()  # by the mapping of the last sheet
    for more, code in (({"site": "q"}, 2), ({"mapping": tmp_path / "none.json"}, 1)):
        with pytest.raises(CommandError) as refused:
            run(**more)
        assert refused.value.returncode == code
    sheet.write_text("Pat;Alter\nS9;44\n")
    with pytest.raises(CommandError, match="No row"):
        run()


def test_a_file_that_no_child_can_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_state: Path
) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("pseudonym\nS0\n")
    monkeypatch.setattr("annotation.intake.records.TIMEOUT_S", 0.0)
    with pytest.raises(Invalid) as refused:
        read_path(sheet)
    assert refused.value.code == "sheet_unreadable"
    assert not list((own_state / "work").rglob("*.csv"))
