"""Make the list of coded terms that the page of label schemas offers, from the tables of pydicom."""

import json
import re
from typing import Any

from django.core.management.base import BaseCommand
from pydicom import __version__ as pydicom_version
from pydicom.sr._concepts_dict import concepts

from annotation.work.coded_terms import TERMS_FILE
from annotation.work.schema import CODE_LENGTHS
from annotation.work.standard import STANDARD

# Context groups of DICOM PS3.16 that name what somebody segments: body regions, organs, vessels, lesions, findings.
GROUPS = {4, 645, 3010, 3014, 3491, 3815, 3829, 3839, 3840, 4028, 4030, 4031, 6014, 6030, 6054, 6056, 6062, 6064, 6101}
GROUPS |= {*range(6102, 6107), *range(6109, 6118), *range(6124, 6128), 6138, 6148, 6149, 6170, 6171, 6201, 6204, 6300}
GROUPS |= {6335, 6336, 6337, 6338, 7140, *range(7151, 7161), 7166, 7167, 7168, 7169, 7170, 7171, 7191, 7192, 7194}
GROUPS |= {7600, 7601, 7602, 8134}
# Terms of no group carry what they are in brackets.
KINDS = re.compile(r"(.+) \((?:body structure|disorder|finding|morphologic abnormality)\)")
SCHEMES = ("SCT", "RADLEX")
SOURCE = (
    "Codes and meanings of DICOM PS3.16 (https://dicom.nema.org/medical/dicom/current/output/html/part16.html), as "
    f"pydicom {pydicom_version} (MIT licence) ships them. SNOMED CT is a registered trademark of SNOMED International, "
    "whose agreement with NEMA lets the codes of PS3.16 be used in DICOM objects; RadLex is a terminology of RSNA."
)


class Command(BaseCommand):
    """One line of the file per term: scheme, code value, meaning."""

    help = "write annotation/work/terms.json from pydicom's tables of DICOM PS3.16"

    def handle(self, *args: Any, **options: Any) -> None:
        found: dict[tuple[str, str], str] = {
            (segment["code"]["scheme"], segment["code"]["value"]): segment["code"]["meaning"]
            for _, definition in STANDARD.values()
            for layer in definition["layers"]
            for segment in layer["segments"]
            if segment["code"]["scheme"] in SCHEMES
        }
        tables: dict[str, Any] = concepts
        for scheme in SCHEMES:
            terms = [(value, *about) for word in tables[scheme].values() for value, about in word.items()]
            for value, meaning, groups in sorted(terms, key=lambda term: not term[2]):
                kind = None if groups else KINDS.fullmatch(meaning)
                short = kind[1] if kind else meaning
                if (kind or GROUPS.intersection(groups)) and len(short) <= CODE_LENGTHS["meaning"]:
                    found.setdefault((scheme, value), short)
        rows = sorted(([scheme, value, meaning] for (scheme, value), meaning in found.items()), key=lambda row: row[2])
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        TERMS_FILE.write_text(f'{{"source": {json.dumps(SOURCE)},\n"terms": [\n{lines}\n]}}\n', encoding="utf-8")
        self.stdout.write(f"{len(rows)} terms in {TERMS_FILE.name}")
