"""The licence of a release: an SPDX expression, or its own text."""

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

LONGEST = 20_000


def canonical_licence(text: str) -> str:
    """An SPDX expression as SPDX writes it (`cc-by-4.0` becomes `CC-BY-4.0`); any other text as it was given."""
    return spdx_of(text) or text.strip()


def spdx_of(text: str) -> str:
    """The SPDX expression that a text is; "" for another text."""
    if len(text) > 200:
        return ""
    try:
        return str(canonicalize_license_expression(text.strip()))
    except InvalidLicenseExpression:
        return ""


def address_of(text: str) -> str:
    """The page of a licence that is one SPDX identifier; "" for anything else."""
    expression = spdx_of(text)
    is_one = expression and " " not in expression and not expression.startswith("LicenseRef")
    return f"https://spdx.org/licenses/{expression}.html" if is_one else ""
