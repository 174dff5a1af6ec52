"""Values, headers, queries and bodies that no client sends by accident."""

from typing import Any

ODD_TEXT = ["\x00", "a\x00b", "\ud800", "%00", "'; DROP TABLE x --", "\u202e", "A" * 5000, "", "../../etc/passwd"]
ODD_NUMBERS: list[Any] = [-1, 0, 2**31, 2**63, 10**400, 1e308, True, None, [], {}]
ODD_VALUES = [*ODD_TEXT, *ODD_NUMBERS, "0001-01-01", "9999-12-31"]
ODD_HEADERS = {
    "HTTP_IF_MATCH": ['"', "W/", '"' + "x" * 4000 + '"', "*", "\xff"],
    "HTTP_IDEMPOTENCY_KEY": ["no uuid", "\xff", "0" * 3000],
    "HTTP_RANGE": [
        "bytes=",
        "bytes=-",
        "bytes=5-1",
        "bytes=0-9999999999999999999999",
        "bytes=-0",
        "bytes=" + "9" * 5000,
        "bytes=0-1,3-4",
        "rows=1-2",
        "bytes=١-٢",
    ],
    "HTTP_IF_NONE_MATCH": ["*", "\xff", '"'],
    "HTTP_ACCEPT": ["text/html", "application/xml;q=2", ";;;", "*/*;q=nan", "application/gzip"],
}
ODD_QUERIES = [
    "page=-1",
    "page=0",
    "page=99999999999999999999999",
    "page=%00",
    "page_size=-1",
    "page_size=99999999999999999999",
    "page_size=x",
    "state=%00",
    "state=nothing",
    "campaign=x",
    "campaign=%00",
    "batch=1e9",
    "number=99999999999999999999",
    "number=%ff",
    "unknown=1",
    "person__password__startswith=a",
    "layer=%00",
    "layer=../..",
    "%00=1",
    "format=mask",
    "format=%00",
    "kind=x&kind=y",
    "code=%F0%28%8C%28",
]
ODD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"1",
    b'"x"',
    b"\x00",
    b"\xff\xfe",
    b'{"a": NaN}',
    b"[" * 100_000,
    b'{"a":' * 5000,
    b'{"campaign": "\\u0000"}',
    b"9" * 5000,
    b'{"values": {"diagnosis": "\\ud800"}}',
    b'{"values": {"\\u0000": 1}}',
]
