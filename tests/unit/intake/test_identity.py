"""Accepted Patient IDs and other header texts: codes and dummies, never names or dates."""

from pathlib import Path

import pytest
from pydicom import Dataset

from annotation.intake.dicom.identity import check_patient_id, is_code, is_dummy
from annotation.intake.dicom.read import read_slice
from annotation.intake.dicom.vocabulary import kernel_of, manufacturer_of, model_of
from annotation.intake.dicom.volume import origin_of_refused
from annotation.intake.limits import Limits
from tests.unit.intake.series import change, convert, make_series
from voxloop.kernel.errors import Invalid

CODES = [
    "0010",
    "1CT1",
    "2178309",
    "1234",
    "QMNx85rKkkg",
    "99000",
    "LIDC-IDRI-0001",
    "CQ500-CT-310",
    "PANCREAS_0001",
    "P-0001",
    "PHANTOM-A-001",
    "A1",
    "ANON123",
    "IRIS-0012",
    "COVID19-0007",
    "20991231",
    "b2cbe507f250",
    "1-2-3",
    "11-05-25-142825",
    "TCGA-38-4625",
    "volume-covid19-A-0001",
    "ID00007637202177411956430",
    "QXZT",
]
DUMMIES = [
    "",
    "0",
    "X",
    "xxx",
    "99999",
    "123456",
    "12345678",
    "ANONYMOUS",
    "Anonymized",
    "anonymous^patient",
    "REMOVED",
    "de-identified",
    "n/a",
    "PHANTOM_EXAMPLE",
    "00010101",
    "19000101",
    "01.01.1900",
    "00000000",
    "11111111",
    "---",
]
NAMES = ["DOE^JANE", "Doe, Jane", "Jane Doe", "MUSTERMANN", "Müller", "MEIER HANS 1963", "HANS_MEIER_7", "ANNA"]
DATES = [
    "19631204",
    "04121963",
    "12041963",
    "04.12.1963",
    "4.12.63",
    "4/12/1963",
    "1963-12-04",
    "041263-1234",
    "19630412-1234",
    "04JAN1963",
    "MEIER_04121963",
    "SUBJ-20010203-1",
]


@pytest.mark.parametrize("value", [*CODES, *DUMMIES])
def test_a_code_or_a_dummy_is_no_reason_to_refuse(value: str) -> None:
    check_patient_id(value)
    assert is_dummy(value) == (value in DUMMIES)


@pytest.mark.parametrize(
    ("value", "code"), [*((v, "patient_id_is_name") for v in NAMES), *((v, "patient_id_is_date") for v in DATES)]
)
def test_a_name_or_a_date_is_refused_and_not_repeated(value: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_patient_id(value)
    assert refusal.value.code == code
    assert value.lower() not in refusal.value.detail.lower()


def test_what_may_stand_in_the_name() -> None:
    assert all(is_code(name, "P-7") for name in ("P-7", "REMOVED", "", "sub07", "p-7^", "Anonymous^Patient"))
    assert not any(is_code(name, "P-7") for name in ("Doe^Jane", "MEIER", "MEIER19631204"))


def test_dummies_in_identity_attributes_are_taken_for_what_they_are(tmp_path: Path) -> None:
    def deidentify(number: int, data: object) -> None:
        for name, value in (
            ("PatientBirthDate", "00010101"),
            ("PatientName", "ANONYMIZED"),
            ("PatientAddress", "REMOVED"),
            ("OtherPatientIDs", "REMOVED"),
            ("CountryOfResidence", "unknown"),
        ):
            setattr(data, name, value)

    change(make_series(tmp_path), deidentify)
    (volume,) = convert(tmp_path)
    assert (volume.origin.subject, volume.origin.is_unnamed) == ("P-0001", False)


@pytest.mark.parametrize("birth", ["19631204", "19900102", "20061001"])
def test_a_real_birth_date_is_still_refused(tmp_path: Path, birth: str) -> None:
    change(make_series(tmp_path), lambda n, d: setattr(d, "PatientBirthDate", birth))
    with pytest.raises(Invalid, match="Patient Birth Date") as refusal:
        convert(tmp_path)
    assert refusal.value.code == "not_deidentified"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GE MEDICAL SYSTEMS", "GE"),
        ("SIEMENS", "Siemens"),
        ("Siemens Healthineers", "Siemens"),
        ("Philips Medical Systems", "Philips"),
        ("TOSHIBA", "Canon"),
        ("FUJI PHOTO FILM CO. LTD.", "Fujifilm"),
        ("", ""),
        ("Klinikum Musterstadt, Dr. Meier", "other"),
        ("Phantom", "Phantom"),
    ],
)
def test_manufacturers(text: str, kept: str) -> None:
    assert manufacturer_of(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("LightSpeed VCT", "LightSpeed"),
        ("SOMATOM Definition AS+", "SOMATOM Definition"),
        ("Sensation 64", "SOMATOM Sensation"),
        ("Biograph40_mCT 4R", "Biograph"),
        ("Aquilion ONE", "Aquilion ONE"),
        ("HiSpeed Dual", "HiSpeed"),
        ("Brilliance 64", "Brilliance"),
        ("Scanner of Dr Meier", "other"),
        ("", ""),
    ],
)
def test_models(text: str, kept: str) -> None:
    assert model_of(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("STANDARD", "STANDARD"),
        ("STD+", "STD+"),
        ("lung", "LUNG"),
        ("B70f", "B70f"),
        ("Br38f/3", "Br38f"),
        ("B60", "B60"),
        ("fc51", "FC51"),
        ("I31f\\2", "I31f"),
        ("YA", "YA"),
        ("", ""),
        ("MEIER", "other"),
        ("Meier/B70f", "other"),
    ],
)
def test_kernels(text: str, kept: str) -> None:
    assert kernel_of(text) == kept


def test_no_free_text_of_a_header_reaches_a_report_or_a_refusal(tmp_path: Path) -> None:
    planted = {
        "Modality": "MEIERHANS",
        "Manufacturer": "Meier AG",
        "ManufacturerModelName": "Hans 1",
        "ConvolutionKernel": "HMeier",
        "SOPClassUID": "1.2.826.0.1.3680043.19631204",
    }
    paths = make_series(tmp_path)

    def plant(_: int, dataset: Dataset) -> None:
        for name, value in planted.items():
            setattr(dataset, name, value)

    change(paths, plant)
    with pytest.raises(Invalid) as refusal:
        convert(tmp_path)
    assert "MEIER" not in refusal.value.detail
    assert "of unknown modality" in refusal.value.detail
    origin = origin_of_refused([read_slice(path, "", Limits()) for path in paths])
    assert not [value for value in planted.values() if value in str(origin)]
