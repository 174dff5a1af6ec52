"""What somebody gives as the reason of a change."""

from voxloop.kernel.errors import Invalid

MOST = 500
"""Characters of a reason that are kept."""


def kept_reason(why: str, most: int = MOST) -> str:
    """The reason without spaces around it; an empty one is for the caller to judge.

    Raises Invalid (`reason_too_long`) for more than `most` characters: cut short, it would say something else.
    """
    text = why.strip()
    if len(text) > most:
        raise Invalid(f"The reason has {len(text)} characters; {most} are kept. Shorten it.", code="reason_too_long")
    return text
