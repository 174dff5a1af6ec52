"""A mask of another program becomes a revision that names its source, and work that has begun keeps its own."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from django.core.management import CommandError, call_command

from annotation.masks.elsewhere import import_read_mask, imports_of, read_path
from annotation.masks.history import list_revisions
from annotation.masks.mapping import suggest
from annotation.masks.models import MaskRevision
from annotation.masks.selectors import head_of
from annotation.masks.services import begin
from annotation.masks.store import load_labels
from annotation.scans.models import Scan
from annotation.scans.services import set_site_membership
from annotation.work.schema import parse_schema
from tests.factories.world import SHAPE, World, first_of, label, publish
from voxloop.audit.models import AuditEntry
from voxloop.kernel.errors import Conflict, Forbidden, Invalid, NotFound

pytestmark = pytest.mark.django_db
Labels = np.ndarray[Any, Any]


def some_labels() -> Labels:
    labels = np.zeros(SHAPE, np.uint8)
    labels[3:9, 5:20, 7:30], labels[20, 4:9, 3:6], labels[30, 2, 2] = 7, 9, 255
    return labels


def mask_file(folder: Path, labels: Labels, *, origin: tuple[float, float, float] = (0, 0, 0)) -> Path:
    """On the grid of the test's scans, whose first voxel lies at 0."""
    image = SimpleITK.GetImageFromArray(labels)
    image.SetSpacing((1.0, 1.0, 2.5))
    image.SetOrigin(origin)
    SimpleITK.WriteImage(image, str(folder / "John Doe.nrrd"), True)
    return folder / "John Doe.nrrd"


def bring(path: Path, scan: Scan, **more: Any) -> Any:
    out = StringIO()
    more.setdefault("map", ["7=infectious_cavity", "9=atelectasis", "255="])
    call_command("import_masks", str(path), scan=scan.code, campaign="chest-ct", json=True, stdout=out, **more)
    return json.loads(out.getvalue())


def test_the_command_stores_a_revision_that_names_its_source(world: World, tmp_path: Path) -> None:
    assignment = first_of(publish(world))
    scan, path = assignment.scan, mask_file(tmp_path, some_labels())
    told = bring(path, scan, map=None)
    assert [(one["name"], one["voxels"]) for one in told["labels"]] == [("7", 2070), ("9", 15), ("255", 1)]
    assert not imports_of(scan).exists()

    first, again = bring(path, scan), bring(path, scan)
    assert (first["new"], again["new"], again["revision"]) == (True, False, first["revision"])
    revision = imports_of(scan).get()
    layer = parse_schema(world.campaign.schema.definition).layer("findings")
    ids = {segment.key: segment.id for segment in layer.segments}
    expected = np.zeros(SHAPE, np.uint8)
    expected[some_labels() == 7], expected[some_labels() == 9] = ids["infectious_cavity"], ids["atelectasis"]
    assert np.array_equal(load_labels(revision, SHAPE), expected)
    kept = json.dumps(revision.source) + str(AuditEntry.objects.filter(action="mask.imported").values("new"))
    assert "Doe" not in kept
    assert revision.source["format"] == "nrrd"

    # Work that begins now starts from it, and its history says where that came from.
    begin(assignment_id=assignment.pk, actor=world["annotator"])
    head = head_of(assignment.pk, "findings")
    assert head == revision
    assert list_revisions(head)[0].source == "NRRD, 2 of 3 labels taken"


def test_work_that_has_begun_is_not_touched(world: World, tmp_path: Path) -> None:
    assignment = first_of(publish(world))
    label(world, assignment)
    before = head_of(assignment.pk, "findings")
    path = mask_file(tmp_path, some_labels())
    with pytest.raises(CommandError, match="work_begun"):
        bring(path, assignment.scan)
    assert not imports_of(assignment.scan).exists()
    assert bring(path, assignment.scan, beside_work=True)["new"]
    assert head_of(assignment.pk, "findings") == before


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        (["7=infectious_cavity"], "unmapped_labels"),
        (["7=infectious_cavity", "9=tumour", "255="], "bad_map"),
        (["8=atelectasis", "7=", "9=", "255="], "bad_map"),
        (["7", "9=", "255="], "bad_map"),
        (["7=", "9=", "255="], "empty_mask"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(world: World, tmp_path: Path, pairs: list[str], code: str) -> None:
    with pytest.raises(CommandError, match=code):
        bring(mask_file(tmp_path, some_labels()), world.scans[0], map=pairs)
    assert not MaskRevision.objects.exists()


def test_another_grid_is_refused_or_resampled_and_the_revision_says_so(world: World, tmp_path: Path) -> None:
    scan, path = world.scans[0], mask_file(tmp_path, some_labels(), origin=(0.4, 0, 0))
    with pytest.raises(CommandError, match=r"first at \(0\.4000, .*first at \(0\.0000, .*other_grid"):
        bring(path, scan)
    assert bring(path, scan, resample=True)["source"]["resampled"] is True


def test_who_and_what_is_refused(world: World, tmp_path: Path) -> None:
    scan = world.scans[0]
    found = read_path(path=mask_file(tmp_path, some_labels()), scan=scan)
    mapped = {1: "atelectasis", 2: "", 3: ""}

    def store(who: str = "datamanager", **more: Any) -> None:
        import_read_mask(
            found=found,
            scan=scan,
            campaign=world.campaign,
            actor=world[who],
            **{"layer": "findings", "mapped": mapped, **more},
        )

    for who in ("annotator", "reviewer", "outsider", "admin"):
        with pytest.raises(Forbidden):
            store(who)
    with pytest.raises(Invalid, match="There is no layer"):
        store(layer="bones")
    set_site_membership(site=scan.site, user=world["datamanager"], is_member=False, actor=world["admin"])
    with pytest.raises(NotFound):
        store()
    assert not MaskRevision.objects.exists()
    store("coordinator")
    begin_work(world, scan)
    with pytest.raises(Conflict, match="has begun"):
        store("coordinator", mapped={1: "", 2: "atelectasis", 3: ""})


def begin_work(world: World, scan: Scan) -> None:
    batch = publish(world)
    begin(assignment_id=batch.assignments.get(scan=scan).pk, actor=world["annotator"])


@pytest.mark.parametrize("name", ["mask.txt", "mask.mhd", "mask.zip"])
def test_another_kind_of_file_is_refused(world: World, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(Invalid, match="Send one mask file") as refused:
        read_path(path=tmp_path / name, scan=world.scans[0])
    assert refused.value.code == "unknown_file"


def test_labels_are_guessed_by_name(world: World, tmp_path: Path) -> None:
    layer = parse_schema(world.campaign.schema.definition).layer("anatomy")
    found = read_path(path=mask_file(tmp_path, some_labels()), scan=world.scans[0])
    named = [type(found.labels[0])(n, name) for n, name in ((1, "Right-Upper LOBE"), (2, "heart"), (3, "lungs"))]
    assert suggest(named, layer) == {1: "right_upper_lobe", 2: "", 3: "lungs"}
