"""The picture of a submission in the review queue: which slice, which part, and which colours."""

from typing import Any
from uuid import uuid4

import imagecodecs
import numpy as np
import pytest

from annotation.masks.models import MaskRevision
from annotation.masks.services import begin, save_message, store_prediction
from annotation.masks.states import EMPTY
from annotation.pages.pictures import ADDED, PROPORTION, REMOVED, SHOWN, draw_picture, draw_plane
from annotation.reviews.models import ReviewRound, RoundMask
from annotation.reviews.services import submit_assignment
from annotation.work.schema import parse_schema
from tests.factories.kept_world import again
from tests.factories.world import SHAPE, World, add_scan, build_world, first_of, publish
from voxloop.kernel.errors import NotFound
from voxloop.volume.geometry import Geometry
from voxloop.volume.labelmap import ERASED, encode_message, split_labelmap

pytestmark = pytest.mark.django_db

GREEN, PINK = (tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5)) for colour in (ADDED, REMOVED))


@pytest.fixture
def world(db: None) -> World:
    """One scan is enough."""
    return again(build_world, scans=1)


def discs(*rows: tuple[int, int, int]) -> np.ndarray:
    """A labelmap with squares in the middle of slices: (slice, half a side, segment)."""
    labels = np.zeros(SHAPE, np.uint8)
    for z, half, segment in rows:
        labels[z, 24 - half : 24 + half, 28 - half : 28 + half] = segment
    return labels


def submitted(world: World, author: np.ndarray | None, model: np.ndarray | None) -> ReviewRound:
    """A round whose author drew that, beside a model's prediction."""
    assignment = first_of(publish(world, size=1))
    begin(assignment_id=assignment.pk, actor=world["annotator"])
    if author is not None:
        message = encode_message("findings", SHAPE, split_labelmap(author))
        head: dict[str, Any] = {"if_match": EMPTY, "key": uuid4(), "actor": world["annotator"]}
        save_message(assignment_id=assignment.pk, layer="findings", message=message, **head)
    values: dict[str, Any] = {"diagnosis": "covid19", "quality": "good"}
    if author is None or not ((author > 0) & (author != ERASED)).any():
        values = {"diagnosis": "no_signs", "quality": "good", "confirmed_empty": True}
    round_ = submit_assignment(
        assignment_id=assignment.pk, actor=world["annotator"], answers=values, acknowledged=["mask_outside_lung"]
    )
    if model is not None:
        layer = parse_schema(assignment.campaign.schema.definition).layer()
        scan = assignment.scan
        store_prediction(scan=scan, layer=layer, labels_zyx=model, model_id=uuid4(), model_name="m")
    return round_


def picture(round_: ReviewRound, what: str) -> Any:
    return imagecodecs.png_decode(draw_picture(round_, what))


def pixels_of(image: Any, colour: tuple[int, ...]) -> int:
    return int((image == np.array(colour, np.uint8)).all(axis=2).sum())


def edge(half: int) -> int:
    """Pixels of the contour of a square."""
    return (2 * half) ** 2 - (2 * half - 2) ** 2


@pytest.mark.parametrize(
    ("author", "model", "added", "removed"),
    [
        # Most is drawn in slice 5, but author and model differ in slice 30 only.
        (discs((5, 9, 1), (30, 3, 1)), discs((5, 9, 1)), edge(3), 0),
        (discs((5, 9, 1)), discs((5, 9, 1), (30, 3, 1)), 0, edge(3)),
        # They differ in two: the larger difference is shown.
        (discs((10, 2, 1), (20, 4, 1)), discs((5, 1, 1)), edge(4), 0),
        (discs((10, 2, 1)), discs((20, 4, 1)), 0, edge(4)),
        # Another segment at the same voxels is no difference: the most drawn slice, and nothing in it.
        (discs((7, 6, 1), (9, 3, 1)), discs((7, 6, 4), (9, 3, 4)), 0, 0),
        # The same everywhere.
        (discs((7, 6, 1)), discs((7, 6, 1)), 0, 0),
        # No model has seen it.
        (discs((7, 2, 1), (9, 6, 1)), None, edge(6), 0),
    ],
)
def test_the_difference_shows_the_slice_where_they_differ_most(
    world: World, author: Any, model: Any, added: int, removed: int
) -> None:
    image = picture(submitted(world, author, model), "difference")
    assert (pixels_of(image, GREEN), pixels_of(image, PINK)) == (added, removed)


def test_every_picture_shows_the_same_slice(world: World) -> None:
    """Author and model draw in different slices; the larger one is shown, also where it holds nothing of the other."""
    round_ = submitted(world, discs((10, 2, 1)), discs((20, 4, 1)))
    author, model = picture(round_, "author"), picture(round_, "prediction")
    assert author.shape == model.shape
    is_painted = (author != model).any(axis=2)
    assert int(is_painted.sum()) == 64  # the square of slice 20, and nothing of slice 10
    assert (author[..., 0] == author[..., 1]).all()  # grey: nothing of the author in it


def test_where_nothing_differs_the_slice_with_most_is_shown(world: World) -> None:
    labels = discs((7, 2, 1), (9, 6, 1))
    round_ = submitted(world, labels, labels)
    author, bare = picture(round_, "author"), picture(round_, "difference")
    assert int((author != bare).any(axis=2).sum()) == 144


def test_of_an_empty_scan_the_middle_slice_is_shown(world: World) -> None:
    image = picture(submitted(world, None, None), "author")
    assert image.shape == (round(48 * SHOWN), round(round(48 * SHOWN) * PROPORTION), 3)
    # The bright ball of the scan lies in its middle.
    middle = image[image.shape[0] // 2, image.shape[1] // 2]
    assert middle[0] > image[1, 1, 0] + 50


def test_erased_voxels_are_not_shown_and_are_a_difference(world: World) -> None:
    """A voxel that the author removed from the model's mask."""
    model = discs((12, 4, 1))
    author = np.where(model > 0, np.uint8(ERASED), model)
    author[25] = discs((25, 1, 1))[25]
    image = picture(submitted(world, author, model), "difference")
    assert (pixels_of(image, GREEN), pixels_of(image, PINK)) == (0, edge(4))


def test_the_newest_prediction_is_compared(world: World) -> None:
    round_ = submitted(world, discs((12, 4, 1)), discs((20, 6, 1)))
    layer = parse_schema(round_.annotation.campaign.schema.definition).layer()
    scan = round_.annotation.scan
    store_prediction(scan=scan, layer=layer, labels_zyx=discs((12, 4, 1)), model_id=uuid4(), model_name="n")
    assert MaskRevision.objects.filter(kind=MaskRevision.Kind.PREDICTION).count() == 2
    assert pixels_of(picture(round_, "difference"), PINK) == 0


def test_a_later_save_does_not_change_the_picture_of_what_was_submitted(world: World) -> None:
    round_ = submitted(world, discs((12, 4, 1)), None)
    before = draw_picture(round_, "author")
    RoundMask.objects.filter(round=round_).update(approved=None)
    assert draw_picture(round_, "author") == before


@pytest.mark.parametrize("corner", [(0, 0), (0, 50), (42, 0), (42, 50)])
def test_a_mark_at_the_edge_stays_in_the_picture(world: World, corner: tuple[int, int]) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    y, x = corner
    labels[15, y : y + 6, x : x + 6] = 1
    image = picture(submitted(world, labels, None), "difference")
    assert pixels_of(image, GREEN) == edge(3)


def test_the_middle_of_a_scan_is_shown_head_up_and_in_proportion(world: World) -> None:
    scan = world.scans[0]
    axial = imagecodecs.png_decode(draw_plane(scan, "axial"))
    assert axial.shape == SHAPE[1:]
    assert axial[24, 28] > 200, "the ball"
    assert axial[2, 2] < 100, "lung"
    coronal = imagecodecs.png_decode(draw_plane(scan, "coronal"))
    # 40 slices of 2.5 mm over 56 columns of 1 mm.
    assert coronal.shape[0] / coronal.shape[1] == pytest.approx(40 * 2.5 / 56, abs=0.02)
    assert coronal[coronal.shape[0] // 2, coronal.shape[1] // 2] > 200
    for unknown in ("sagittal", "../axial"):
        with pytest.raises(NotFound):
            draw_plane(scan, unknown)


def test_the_last_slice_is_at_the_top_of_the_coronal_plane(world: World) -> None:
    hu = np.full(SHAPE, -900, np.int16)
    hu[-8:] = 100
    scan = add_scan(world, "a", hu, Geometry.axial(SHAPE, (2.5, 1.0, 1.0)), number=99)
    coronal = imagecodecs.png_decode(draw_plane(scan, "coronal"))
    assert coronal[2].mean() > 230
    assert coronal[-3].mean() < 100
