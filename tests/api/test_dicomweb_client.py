"""DICOMweb by an independent client (dicomweb-client) over a real server: searches, series, frames, segmentations."""

from io import BytesIO
from pathlib import Path
from typing import Any

import highdicom
import imagecodecs
import numpy as np
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from openjpeg.utils import decode
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian, HTJ2KLossless

from annotation.intake.services import import_now
from annotation.reviews.models import ReviewRound
from annotation.scans.models import Scan
from annotation.scans.volumes import read_slices, read_voxels
from tests.factories.world import World, approve, ball, first_of, label, publish
from tests.unit.intake.series import hu, make_series
from voxloop.accounts.tokens import issue_token
from voxloop.audit.models import AuditEntry

HTJ2K = str(HTJ2KLossless)
EVLE = str(ExplicitVRLittleEndian)


def client_of(world: World, url: str, who: str = "datamanager") -> DICOMwebClient:
    token = issue_token(user=world[who], scopes=["read"])[1]
    client = DICOMwebClient(f"{url}/dicom-web", headers={"Authorization": f"Token {token}"})
    client.host = url.rpartition("/")[2]  # its header leaves the port out
    return client


def value(found: dict[str, Any], keyword: str) -> Any:
    return pydicom.Dataset.from_json(found, bulk_data_uri_handler=lambda uri: b"")[keyword].value


def by_place(images: list[pydicom.Dataset]) -> list[pydicom.Dataset]:
    return sorted(images, key=lambda image: float(image.ImagePositionPatient[2]))


def test_a_whole_series_equals_its_source(live_world: World, live_server: Any, tmp_path: Path) -> None:
    """A series of DICOM files that came in by intake: every voxel, and the same UIDs by every door."""
    paths = make_series(tmp_path / "in")
    done = import_now(
        path=tmp_path / "in", site=live_world.sites["a"], campaign=live_world.campaign, actor=live_world["datamanager"]
    )
    scan = Scan.objects.select_related("series__study", "subject").get(pk=done["scans"][0]["id"])
    files = by_place([pydicom.dcmread(path) for path in paths])
    source = np.stack([image.pixel_array * image.RescaleSlope + image.RescaleIntercept for image in files])
    client = client_of(live_world, live_server.url)

    studies = client.search_for_studies(search_filters={"PatientID": scan.subject.pseudonym})
    assert [value(study, "StudyInstanceUID") for study in studies] == [scan.series.study.uid]
    assert value(studies[0], "NumberOfStudyRelatedInstances") == scan.shape_zyx[0]
    place = scan.series.study.uid, scan.series.uid
    (series,) = client.search_for_series(place[0], search_filters={"Modality": "CT"})
    assert value(series, "SeriesInstanceUID") == place[1]

    images = by_place(client.retrieve_series(*place))
    np.testing.assert_array_equal(np.stack([image.pixel_array + 0 for image in images]), source)
    np.testing.assert_array_equal(hu(), source)
    assert [image.SOPInstanceUID for image in images] == scan.facts["sop_instance_uids"]
    assert {image.file_meta.TransferSyntaxUID for image in images} == {EVLE}
    assert {image.FrameOfReferenceUID for image in images} == {scan.facts["frame_of_reference_uid"]}

    told = client.retrieve_series_metadata(*place)
    assert [value(one, "SOPInstanceUID") for one in told] == scan.facts["sop_instance_uids"]
    assert all("BulkDataURI" in one["7FE00010"] for one in told)
    (pixels,) = client.retrieve_bulkdata(told[2]["7FE00010"]["BulkDataURI"])
    assert pixels == images[2].PixelData
    entry = AuditEntry.objects.filter(action="dicomweb.retrieved").latest("pk")
    assert (entry.actor_id, entry.object_id) == (live_world["datamanager"].pk, str(scan.pk))


def test_frames_in_both_syntaxes_are_the_voxels(live_world: World, live_server: Any) -> None:
    """HTJ2K leaves as it lies in the pack, byte for byte, alone or in a file, and decodes to the plain frame."""
    scan = live_world.scans[0]
    client, expected = client_of(live_world, live_server.url), read_voxels(scan)
    study, series = scan.series.study.uid, scan.series.uid
    instances = client.search_for_instances(study, series)
    assert len(instances) == scan.shape_zyx[0]
    for k in (0, 17, 39):
        uid = value(instances[k], "SOPInstanceUID")
        (plain,) = client.retrieve_instance_frames(study, series, uid, [1])
        np.testing.assert_array_equal(np.frombuffer(plain, "<i2").reshape(scan.shape_zyx[1:]), expected[k])
        address = f"{live_server.url}/dicom-web/studies/{study}/series/{series}/instances/{uid}"
        wanted = f'multipart/related; type="image/jphc"; transfer-syntax={HTJ2K}'
        answer = client._session.get(f"{address}/frames/1", headers={"Accept": wanted})
        assert answer.headers["Content-Type"].startswith('multipart/related; type="image/jphc"')
        (coded,) = client._decode_multipart_message(answer, stream=False)
        assert coded == read_slices(scan, k, k + 1)[1][0]
        np.testing.assert_array_equal(imagecodecs.htj2k_decode(coded), expected[k])
        single = client._session.get(f"{address}/frames/1", headers={"Accept": "image/jphc"})
        assert (single.headers["Content-Type"], single.content) == (f"image/jphc; transfer-syntax={HTJ2K}", coded)
        file = client._session.get(address, headers={"Accept": f"application/dicom; transfer-syntax={HTJ2K}"})
        image = pydicom.dcmread(BytesIO(file.content))
        assert image.file_meta.TransferSyntaxUID == HTJ2K
        (stream,) = generate_frames(image.PixelData, number_of_frames=1)
        np.testing.assert_array_equal(decode(stream), expected[k])  # another decoder than intake's


def test_an_approved_mask_is_a_segmentation_of_its_study(live_world: World, live_server: Any) -> None:
    world = live_world
    assignment = first_of(publish(world, size=1))
    label(world, assignment)
    client = client_of(world, live_server.url)
    scan = Scan.objects.select_related("series__study").get(pk=assignment.scan_id)
    study = scan.series.study.uid
    assert client.search_for_series(study, search_filters={"Modality": "SEG"}) == []  # drawn, and not approved
    approve(world, assignment)

    (found,) = client.search_for_series(study, search_filters={"Modality": "SEG"})
    place = study, value(found, "SeriesInstanceUID")
    (held,) = client.search_for_instances(*place)
    (file,) = client.retrieve_series(*place)
    assert file.SOPInstanceUID == value(held, "SOPInstanceUID")
    assert {"CT", "SEG"} == {image.Modality for image in client.retrieve_study(study)}
    segmentation = highdicom.seg.Segmentation.from_dataset(file)
    volume = segmentation.get_volume(combine_segments=True)
    images = client.retrieve_series(study, scan.series.uid)
    expected = ball(tuple(scan.shape_zyx)).astype(np.uint8)
    drawn = np.zeros_like(expected)
    for n, frame in enumerate(volume.array):
        z = (volume.affine @ [n, 0, 0, 1])[2]
        drawn[next(k for k, image in enumerate(images) if abs(float(image.ImagePositionPatient[2]) - z) < 1e-3)] = frame
    np.testing.assert_array_equal(drawn, expected)

    (told,) = client.retrieve_series_metadata(*place)
    assert value(told, "SOPInstanceUID") == file.SOPInstanceUID
    assert len(value(told, "PerFrameFunctionalGroupsSequence")) == file.NumberOfFrames
    frames = client.retrieve_instance_frames(*place, file.SOPInstanceUID, [1, 3])
    bits = np.unpackbits(np.frombuffer(frames[1], np.uint8), bitorder="little").reshape(scan.shape_zyx[1:])
    np.testing.assert_array_equal(bits, file.pixel_array[2])
    (pixels,) = client.retrieve_bulkdata(told["7FE00010"]["BulkDataURI"])
    assert pixels == file.PixelData
    approved = ReviewRound.objects.get(annotation=assignment)
    assert file.ContentCreatorName == "annotator^"
    assert file.ContentDate == approved.ended_at.strftime("%Y%m%d")


@pytest.mark.parametrize("media", ["image/png", "image/jpeg"])
def test_pictures(live_world: World, live_server: Any, media: str) -> None:
    scan = live_world.scans[0]
    client, expected = client_of(live_world, live_server.url), read_voxels(scan)
    place = scan.series.study.uid, scan.series.uid
    uid = value(client.search_for_instances(*place)[20], "SOPInstanceUID")
    picture = client.retrieve_instance_rendered(
        *place, uid, media_types=(media,), params={"window": "-600,1500,linear"}
    )
    grey = imagecodecs.png_decode(picture) if media == "image/png" else imagecodecs.jpeg8_decode(picture)
    wanted = np.clip((expected[20] + 600.5 + 749.5) / 1499, 0, 1) * 255
    assert np.abs(grey.astype(float) - wanted).max() < (1 if media == "image/png" else 40)
    thumbnail = imagecodecs.jpeg8_decode(client.retrieve_instance_rendered(*place, uid, params={"viewport": "64,64"}))
    assert max(thumbnail.shape) == 64
