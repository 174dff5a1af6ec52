"""X-rays as PNG and JPEG by a table: what comes in, and what is refused by its line."""

import json
import zipfile
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from annotation.intake.child import run_convert
from annotation.intake.conversion import ConvertResult
from annotation.intake.limits import Limits
from annotation.intake.pictures import decode_picture
from voxloop.kernel.errors import Refusal
from voxloop.volume.pack import VolumeIndex, decode_pack

HEAD = "file,pseudonym,view,spacing_mm"


def film(kind: type = np.uint16) -> np.ndarray[Any, Any]:
    """A dark field that grows brighter downwards, (80, 64)."""
    y, x = np.mgrid[:80, :64]
    return np.asarray((y * 3 + x % 5) * (1 if kind == np.uint8 else 200), kind)


def make(folder: Path, *lines: str, head: str = HEAD) -> Path:
    """A folder with the pictures `a.png` (16 bits) and `b.jpg` (8 bits), and the table."""
    folder.mkdir(exist_ok=True)
    (folder / "a.png").write_bytes(imagecodecs.png_encode(film()))
    (folder / "b.jpg").write_bytes(imagecodecs.jpeg8_encode(film(np.uint8), level=95))
    (folder / "xrays.csv").write_text("\n".join([head, *lines]) + "\n")
    return folder


def convert(source: Path, out: Path) -> ConvertResult:
    return run_convert(source, out)


def test_png_and_jpeg_come_in_with_what_the_table_says(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", "a.png,P-0001,pa,0.14", "b.jpg,P-0002,,0.2")
    packed = tmp_path / "in.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"case/{path.name}")
    for number, source in enumerate((folder, packed)):
        out = tmp_path / f"out{number}"
        result = convert(source, out)
        assert (result.refused, result.not_dicom) == ((), 0)
        first, second = (item.series for item in result.accepted)
        assert (first.subject, first.modality, first.facts["view"], first.is_unnamed) == ("P-0001", "DX", "PA", False)
        assert second.subject == "P-0002"
        made = out / result.accepted[0].folder
        index = VolumeIndex.from_json(json.loads((made / "index.json").read_text()))
        assert index.geometry.spacing_mm_zyx == (1.0, 0.14, 0.14)
        values = decode_pack((made / "pack").read_bytes(), index.pack, index.geometry.shape_zyx)
        assert np.array_equal(values[0], film())


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("c.png,P-0001,PA,0.14", "no_such_file"),
        ("a.png,Jane Maria,PA,0.14", "patient_id_is_name"),
        ("a.png,1961-03-12,PA,0.14", "patient_id_is_date"),
        ("a.png,P-0001,upside,0.14", "bad_table"),
        ("a.png,P-0001,PA,", "no_spacing"),
        ("a.png,P-0001,PA,0", "no_spacing"),
        ("a.png,P-0001,PA,nan", "no_spacing"),
        ("xrays.csv,P-0001,PA,0.14", "bad_picture"),
    ],
)
def test_a_bad_line_is_refused_and_the_others_come_in(tmp_path: Path, line: str, code: str) -> None:
    result = convert(make(tmp_path / "in", line, "b.jpg,P-0002,AP,0.2"), tmp_path / "out")
    assert [item.series.subject for item in result.accepted] == ["P-0002"]
    assert [refusal.code for refusal in result.refused] == [code]
    assert not any(word in result.refused[0].reason for word in ("Jane", "1961"))


def test_a_table_that_means_nothing_is_refused(tmp_path: Path) -> None:
    for number, (head, line) in enumerate((("file,pseudonym", "a.png,P-0001"), (HEAD, "a.png,P-0001"))):
        result = convert(make(tmp_path / f"in{number}", line, head=head), tmp_path / f"out{number}")
        assert not result.accepted
        assert "bad_table" in [refusal.code for refusal in result.refused]


def test_pictures_that_are_none_or_too_large(tmp_path: Path) -> None:
    def code(data: bytes | bytearray) -> str:
        path = tmp_path / "x.png"
        path.write_bytes(data)
        with pytest.raises(Refusal) as refused:
            decode_picture(path, Limits())
        return refused.value.code

    png, jpeg = imagecodecs.png_encode(film()), imagecodecs.jpeg8_encode(film(np.uint8))
    huge = png[:16] + (60_000).to_bytes(4, "big") * 2 + png[24:]
    assert code(huge) == code(imagecodecs.png_encode(film()[:8])) == "bad_size"
    wrong = png[:16] + (64).to_bytes(4, "big") * 2 + png[24:]
    for data in (b"", b"GIF89a", png[:20], png[:60], jpeg[:4], b"\xff\xd8\xff" * 9, wrong):
        assert code(data) == "bad_picture"
    colour = np.stack([film(np.uint8), film(np.uint8) // 2, film(np.uint8)], axis=-1)
    assert code(imagecodecs.png_encode(colour)) == "not_grey"


def test_grey_written_as_colour_is_grey(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(imagecodecs.png_encode(np.repeat(film(np.uint8)[..., None], 3, axis=-1)))
    assert np.array_equal(decode_picture(path, Limits()), film(np.uint8))


def test_one_grey_for_all_is_no_picture(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", "a.png,P-0001,PA,0.14")
    (folder / "a.png").write_bytes(imagecodecs.png_encode(np.full((80, 64), 7, np.uint8)))
    assert [refusal.code for refusal in convert(folder, tmp_path / "out").refused] == ["empty_volume"]
