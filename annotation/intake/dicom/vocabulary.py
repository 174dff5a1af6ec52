"""Controlled vocabularies for free text in headers: scanner, model family, kernel; anything else is "other". Free text
can hold anything, even a name, so only listed words are stored. Each entry is the stored word and a pattern over the
lower-case text. Model families, not models: a model that only one hospital has would identify it."""

from __future__ import annotations

import re

OTHER = "other"

MANUFACTURERS = (
    ("GE", r"\bge\b|\bg\.e\.|general electric"),
    ("Siemens", r"\bsiemens\b"),
    ("Philips", r"\bphilips\b|\bmarconi\b|\bpicker\b|\badac\b"),
    ("Canon", r"\bcanon\b|\btoshiba\b"),
    ("Fujifilm", r"\bfuji(film)?\b|\bhitachi\b"),
    ("United Imaging", r"\bunited imaging\b|\buih\b"),
    ("Neusoft", r"\bneusoft\b"),
    ("Shimadzu", r"\bshimadzu\b"),
    ("Samsung", r"\bsamsung\b|\bneurologica\b"),
    ("Agfa", r"\bagfa\b"),
    ("Carestream", r"\bcarestream\b|\bkodak\b"),
    ("Konica Minolta", r"\bkonica\b|\bminolta\b"),
    ("Mindray", r"\bmindray\b"),
    ("Hologic", r"\bhologic\b"),
    ("Elscint", r"\belscint\b"),
    ("Imatron", r"\bimatron\b"),
    ("Swissray", r"\bswissray\b"),
    ("Phantom", r"^phantom$"),
)
MODELS = tuple(
    (name, rf"\b{pattern}")
    for name, pattern in (
        # GE
        ("LightSpeed", r"light ?speed"),
        ("BrightSpeed", r"bright ?speed"),
        ("HiSpeed", r"hi ?speed"),
        ("ProSpeed", r"pro ?speed"),
        ("Optima", r"optima"),
        ("Discovery", r"discovery"),
        ("Revolution", r"revolution"),
        ("Definium", r"definium"),
        # Siemens
        ("SOMATOM Definition", r"somatom definition"),
        ("SOMATOM Force", r"somatom force"),
        ("SOMATOM Drive", r"somatom drive"),
        ("SOMATOM Edge", r"somatom edge"),
        ("SOMATOM go", r"somatom go"),
        ("SOMATOM X", r"somatom x\b"),
        ("SOMATOM Confidence", r"somatom confidence"),
        ("SOMATOM Scope", r"(somatom )?scope"),
        ("SOMATOM Perspective", r"(somatom )?perspective"),
        ("SOMATOM Sensation", r"(somatom )?sensation"),
        ("SOMATOM Emotion", r"(somatom )?emotion"),
        ("SOMATOM Spirit", r"(somatom )?spirit"),
        ("SOMATOM Volume Zoom", r"volume zoom"),
        ("SOMATOM Plus", r"somatom plus"),
        ("NAEOTOM", r"naeotom"),
        ("Biograph", r"biograph"),
        ("Symbia", r"symbia"),
        ("Ysio", r"ysio"),
        ("Axiom", r"axiom"),
        ("Mobilett", r"mobilett"),
        ("Multix", r"multix"),
        # Philips
        ("Brilliance", r"brilliance"),
        ("iCT", r"ict\b"),
        ("Ingenuity", r"ingenuity"),
        ("Incisive", r"incisive"),
        ("IQon", r"iqon"),
        ("Spectral CT", r"spectral ct"),
        ("MX8000", r"mx ?8000"),
        ("Gemini", r"gemini"),
        ("Vereos", r"vereos"),
        ("DigitalDiagnost", r"digital ?diagnost"),
        ("MobileDiagnost", r"mobile ?diagnost"),
        # Canon, Toshiba
        ("Aquilion ONE", r"aquilion one"),
        ("Aquilion Prime", r"aquilion prime"),
        ("Aquilion", r"aquilion"),
        ("Alexion", r"alexion"),
        ("Asteion", r"asteion"),
        ("Activion", r"activion"),
        ("Xpress", r"xpress"),
        # Fujifilm, Hitachi
        ("Scenaria", r"scenaria"),
        ("Supria", r"supria"),
        ("Eclos", r"eclos"),
        ("FDR", r"fdr\b"),
        ("FCR", r"fcr\b"),
        # United Imaging, Neusoft, others
        ("uCT", r"uct\b"),
        ("uMI", r"umi\b"),
        ("NeuViz", r"neuviz"),
        ("BodyTom", r"bodytom"),
        ("DRX", r"drx\b"),
        ("DirectView", r"direct ?view"),
        ("AeroDR", r"aero ?dr"),
        ("DX-D", r"dx-d"),
        ("RADspeed", r"radspeed"),
    )
)
# Kernels by name (GE, Philips, United Imaging) and by the makers' own schemes of letters and numbers.
_KERNEL_NAMES = """
    STANDARD STND STD STD+ SOFT SMOOTH DETAIL LUNG CHEST BONE BONEPLUS BONE+ EDGE ULTRA NEURO ASIR A B C D E F G L O
    YA YB YC YD YE SHARP MEDIUM LUNG+ IMR1 IMR2 IMR3 B_SOFT_A B_SOFT_B B_SOFT_C B_SHARP_A B_SHARP_B B_SHARP_C
    B_STANDARD LUNG_A LUNG_B LUNG_C
"""
KERNEL_NAMES = frozenset(_KERNEL_NAMES.split())
KERNEL_SCHEMES = re.compile(
    r"(?P<siemens>(?:[BHIUTSDQJ]|Ba|Bf|Bl|Bp|Br|Bs|Bv|Hc|Hf|Hn|Hp|Hr|Hv|Qr|Sa|Sn|Tr|Ub|Uh|Ur)\d{2}(?:[a-z]|[a-z]d)?)"
    r"|(?P<canon>F[CL]\d{2})",
    re.IGNORECASE,
)


def manufacturer_of(text: str) -> str:
    """The listed manufacturer in a text; "other" for one that is not listed, empty for no text."""
    return _find(text, MANUFACTURERS)


def model_of(text: str) -> str:
    """The listed model family in a text; "other" for one that is not listed, empty for no text."""
    return _find(text, MODELS)


def kernel_of(text: str) -> str:
    """The listed kernel; of several values the first, without its strength. "other" when unknown, empty for none."""
    first = re.split(r"[/\\]", text)[0].strip()
    if not text.strip():
        return ""
    if first.upper() in KERNEL_NAMES:
        return first.upper()
    scheme = KERNEL_SCHEMES.fullmatch(first)
    if scheme is None:
        return OTHER
    return first.upper() if scheme["canon"] else first[0].upper() + first[1:].lower()


def modality_in_words(text: str) -> str:
    """A modality as a refusal may show it: one that DICOM defines (PS3.3 C.7.3.1.1.1), else "of unknown modality"."""
    return text if text in MODALITIES else "of unknown modality"


_MODALITIES = """
    AR ASMT AU BDUS BI BMD CR CT DMS DG DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL IVOCT IVUS KER KO LEN LS
    MG MR M3D NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE
    RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XC
"""
MODALITIES = frozenset(_MODALITIES.split())


def _find(text: str, table: tuple[tuple[str, str], ...]) -> str:
    plain = text.strip().lower()
    if not plain:
        return ""
    return next((name for name, pattern in table if re.search(pattern, plain)), OTHER)
