"""Refusals of this package: one class, a stable code, one sentence."""


class FormatError(ValueError):
    """Bytes or numbers that violate `docs/formats.md`; `code` is stable, the message is one sentence for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
