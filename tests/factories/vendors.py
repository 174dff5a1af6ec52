"""Files as scanners of many makers write them: small images with their private blocks, packed in their ways. What a
template plants in its private parts comes from the caller."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

CT, ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"
CR, DX = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1"
ROWS, COLUMNS = 12, 16
Plant = Callable[[str], str]


@dataclass(frozen=True)
class Vendor:
    """A maker's way: private blocks as (group, creator), class, transfer syntax, bits a pixel."""

    name: str
    manufacturer: str
    model: str
    kernel: str
    private: tuple[tuple[int, str], ...]
    sop_class: str = CT
    syntax: str = ExplicitVRLittleEndian
    bits: int = 16
    signed: bool = False
    frames: int = 1
    bare: bool = False  # without preamble and file meta


GE = ((0x0009, "GEMS_IDEN_01"), (0x0019, "GEMS_ACQU_01"), (0x0043, "GEMS_PARM_01"))
SIEMENS = ((0x0019, "SIEMENS CT VA0  COAD"), (0x0029, "SIEMENS CSA HEADER"))
PHILIPS = ((0x01F1, "ELSCINT1"), (0x2001, "Philips Imaging DD 001"), (0x2005, "Philips MR Imaging DD 005"))
VENDORS = (
    Vendor("ge", "GE MEDICAL SYSTEMS", "LightSpeed VCT", "LUNG", GE, syntax=ImplicitVRLittleEndian, signed=True),
    Vendor("ge-j2k", "GE MEDICAL SYSTEMS", "Revolution CT", "BONEPLUS", GE, syntax=JPEG2000Lossless, signed=True),
    Vendor("siemens", "SIEMENS", "SOMATOM Definition AS+", "B70f", SIEMENS, bits=12),
    Vendor("siemens-va", "Siemens Healthineers", "SOMATOM Force", "Br40d", ((0x0021, "SIEMENS MED SMS USG"),)),
    Vendor("siemens-enhanced", "Siemens Healthineers", "NAEOTOM Alpha", "Bl60", SIEMENS, ENHANCED_CT, frames=3),
    Vendor("philips", "Philips", "Brilliance 64", "YA", PHILIPS, bits=12),
    Vendor("philips-jls", "Philips", "IQon - Spectral CT", "B", PHILIPS, syntax=JPEGLSLossless, bits=12),
    Vendor("toshiba", "TOSHIBA", "Aquilion", "FC51", ((0x7005, "TOSHIBA_MEC_CT3"),), signed=True),
    Vendor(
        "canon-htj2k",
        "Canon Medical Systems",
        "Aquilion ONE",
        "FC08",
        ((0x7005, "CANON_MEC_CT3"),),
        syntax=HTJ2KLossless,
    ),
    Vendor("uih", "UIH", "uCT 760", "B_SHARP_C", ((0x0065, "Image Private Header"),), syntax=RLELossless),
    Vendor(
        "neusoft", "Neusoft", "NeuViz 128", "LUNG", ((0x0019, "NEUSOFT CT"),), syntax=DeflatedExplicitVRLittleEndian
    ),
    Vendor("hitachi", "Hitachi Medical", "Supria", "42", ((0x0009, "HMC"), (0x0029, "HMC - CT - ID")), bits=12),
    Vendor(
        "picker-bare",
        "Picker International",
        "PQ5000",
        "4",
        ((0x7001, "PICKER"),),
        syntax=ImplicitVRLittleEndian,
        bits=12,
        bare=True,
    ),
    Vendor("fuji", "FUJIFILM Corporation", "CR-IR 357", "", ((0x0019, "FDMS 1.0"),), CR, ImplicitVRLittleEndian, 10),
    Vendor("agfa", "Agfa", "ADC_51xx", "", ((0x0019, "Agfa ADC NX"),), CR, ExplicitVRBigEndian, 12),
    Vendor("carestream", "Carestream Health", "DRX-1", "", ((0x0029, "CARESTREAM IMAGE INFO"),), DX, bits=12),
    Vendor("samsung", "Samsung Electronics", "GC85A", "", ((0x0031, "SAMSUNG"),), DX, JPEG2000Lossless, 14),
    Vendor("shimadzu", "SHIMADZU", "MobileDaRt", "", ((0x0077, "SHIMADZU DR"),), DX, bits=12),
)  # as listed in their conformance statements


def stored_pixels(vendor: Vendor, seed: int = 0) -> np.ndarray:
    """Stored values, frames × rows × columns, in the range of Bits Stored."""
    span = 1 << (vendor.bits - 1) if vendor.signed else 1 << vendor.bits
    low = -span if vendor.signed else 0
    shape = (vendor.frames, ROWS, COLUMNS)
    return np.random.default_rng(seed).integers(low, span, shape).astype("<i2" if vendor.signed else "<u2")


def make_header(vendor: Vendor, *, instance: int = 1, patient: str = "7712345", uid_root: str = "1.2.3.4") -> Dataset:
    """A valid header with everything that is kept. Dates lie in 2019."""
    is_ct = vendor.sop_class in (CT, ENHANCED_CT)
    fields: dict[str, Any] = {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"] if is_ct else ["ORIGINAL", "PRIMARY"],
        "SOPClassUID": vendor.sop_class,
        "SOPInstanceUID": f"{uid_root}.1.{instance}",
        "StudyInstanceUID": f"{uid_root}.2",
        "SeriesInstanceUID": f"{uid_root}.3",
        "FrameOfReferenceUID": f"{uid_root}.4",
        "Modality": {CR: "CR", DX: "DX"}.get(vendor.sop_class, "CT"),
        "StudyDate": "20190310",
        "SeriesDate": "20190312",
        "AcquisitionDateTime": "20190310101112.000000+0100",
        "Manufacturer": vendor.manufacturer,
        "ManufacturerModelName": vendor.model,
        "PatientID": patient,
        "PatientName": "Nobody^Known",
        "PatientBirthDate": "19500101",
        "PatientSex": "F",
        "PatientAge": "069Y",
        "BodyPartExamined": "CHEST",
        "KVP": "120",
        "SeriesNumber": "3",
        "InstanceNumber": str(instance),
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": ROWS,
        "Columns": COLUMNS,
        "BitsAllocated": 16,
        "BitsStored": vendor.bits,
        "HighBit": vendor.bits - 1,
        "PixelRepresentation": int(vendor.signed),
        "PixelPaddingValue": -2000 if vendor.signed else 0,
        "RescaleIntercept": "-1024",
        "RescaleSlope": "1",
    }
    if is_ct:
        fields["ConvolutionKernel"] = vendor.kernel
    geometry = {
        "ImagePositionPatient": ["-166.5", "-171.699997", str(-10.0 - 1.25 * instance)],
        "ImageOrientationPatient": ["1.000000", "0", "0", "0", "1", "0.000000"],
        "PixelSpacing": ["0.703125", "0.703125"],
        "SliceThickness": "1.25",
    }
    header = Dataset()
    for keyword, value in (fields | ({} if vendor.frames > 1 else geometry)).items():
        setattr(header, keyword, value)
    if vendor.frames > 1:
        _add_frames(header, vendor, geometry)
    return header


def _add_frames(header: Dataset, vendor: Vendor, geometry: dict[str, Any]) -> None:
    header.NumberOfFrames = vendor.frames
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = geometry["PixelSpacing"], geometry["SliceThickness"]
    orientation.ImageOrientationPatient = geometry["ImageOrientationPatient"]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    header.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for number in range(vendor.frames):
        frame, position, content = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = ["-166.5", "-171.5", str(1.25 * number)]
        content.InStackPositionNumber = number + 1
        content.FrameAcquisitionDateTime = "20190310101112"
        frame.PlanePositionSequence, frame.FrameContentSequence = [position], [content]
        frames.append(frame)
    header.PerFrameFunctionalGroupsSequence = frames


def add_private(header: Dataset, vendor: Vendor, plant: Plant) -> None:
    """The vendor's private blocks with planted text: plain, binary, UTF-16, nested."""
    for group, creator in vendor.private:
        block = header.private_block(group, creator, create=True)
        block.add_new(0x01, "LO", plant("LO"))
        block.add_new(0x02, "UN", plant("UN").encode())
        block.add_new(0x03, "OB", b"SV10\4\3\2\1" + plant("OB").encode() + plant("OB").encode("utf-16-le"))
        item, inner = Dataset(), Dataset()
        inner.PatientName = plant("PN")
        item.ReferencedPatientSequence = [inner]
        block.add_new(0x04, "SQ", [item])


def encode(header: Dataset, vendor: Vendor, pixels: np.ndarray, comments: Sequence[str] = ()) -> bytes:
    """The file. `comments` are written into a compressed codestream, after the image elsewhere."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(vendor.sop_class)
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    meta.TransferSyntaxUID = UID(vendor.syntax)
    header.file_meta = meta
    packers = {JPEG2000Lossless: _j2k, HTJ2KLossless: _htj2k, JPEGLSLossless: _jls}
    said = "".join(comments).encode()
    if packer := packers.get(UID(vendor.syntax)):
        frames = [_commented(packer(np.ascontiguousarray(frame)), said) for frame in pixels]
        header.PixelData = encapsulate(frames)
        header["PixelData"].is_undefined_length = True
    elif vendor.syntax == RLELossless:
        packed = _rle(pixels[0], vendor)
        unused = said[:52].ljust(52, b"\0")  # 16 bits use two of the fifteen offsets (PS3.5 G.5)
        header.PixelData = encapsulate([packed[:12] + unused + packed[64:]])
        header["PixelData"].is_undefined_length = True
    else:
        swapped = pixels.byteswap() if vendor.syntax == ExplicitVRBigEndian else pixels
        data = swapped.tobytes() + said
        header.add_new(0x7FE00010, "OW", data + bytes(len(data) % 2))
    out = BytesIO()
    if vendor.bare:
        bare = Dataset(header)
        dcmwrite(out, bare, implicit_vr=True, little_endian=True, enforce_file_format=False)
    else:
        dcmwrite(out, header, enforce_file_format=True)
    return out.getvalue()


def _j2k(frame: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(frame, reversible=True, level=0, codecformat="j2k"))


def _htj2k(frame: np.ndarray) -> bytes:
    return bytes(imagecodecs.htj2k_encode(frame, reversible=True))


def _rle(frame: np.ndarray, vendor: Vendor) -> bytes:
    shape: dict[str, Any] = {"rows": ROWS, "columns": COLUMNS, "number_of_frames": 1, "samples_per_pixel": 1}
    bits: dict[str, Any] = {"bits_allocated": 16, "bits_stored": vendor.bits, "pixel_representation": vendor.signed}
    return RLELosslessEncoder.encode(frame, **shape, **bits, photometric_interpretation="MONOCHROME2")


def _jls(frame: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpegls_encode(frame))


def _commented(stream: bytes, said: bytes) -> bytes:
    """The codestream with a comment after its first marker segment (JPEG 2000) or its first marker (JPEG-LS)."""
    if not said:
        return stream
    if stream[:2] == b"\xff\x4f":
        at = 4 + struct.unpack_from(">H", stream, 4)[0]
        return stream[:at] + b"\xff\x64" + struct.pack(">HH", 4 + len(said), 1) + said + stream[at:]
    return stream[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(said)) + said + stream[2:]
