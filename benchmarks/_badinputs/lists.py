"""Values tried everywhere: names of lists, queries, headers, documents."""

JSON = "application/json"


GETS = [
    "me/",
    "sites/",
    "scans/",
    "campaigns/",
    "batches/",
    "assignments/",
    "reviews/",
    "models/",
    "training-runs/",
    "releases/",
    "jobs/",
]


QUERIES = [
    "page=-1",
    "page=0",
    "page=" + "9" * 30,
    "page=%00",
    "page_size=-1",
    "page_size=" + "9" * 30,
    "page_size=x",
    "state=%00",
    "campaign=x",
    "campaign=%00",
    "batch=1e9",
    "ordering=password",
    "ordering=%00",
    "kind=%ff",
    "person__password__startswith=a",
    "format=%00",
    "format=xml",
    "%00=1",
    "code=%F0%28%8C%28",
    "a=" + "b" * 3000,
]


HEADERS: dict[str, list[str]] = {
    "Range": [
        "bytes=",
        "bytes=-",
        "bytes=5-1",
        "bytes=" + "9" * 5000,
        "bytes=" + "9" * 5000 + "-",
        "bytes=-0",
        "bytes=0-" + "9" * 5000,
        "bytes=0-1,3-4",
        "rows=1-2",
        "bytes=\xb2-\xb3",
        "bytes=1e9-",
        "bytes=-1-2",
    ],
    "If-None-Match": ["*", "\xff", '"', '"' + "x" * 4000 + '"'],
    "Accept": ["text/html", "application/xml;q=2", ";;;", "*/*;q=nan", "image/png", "\xff", "a" * 4000],
    "Authorization": ["Token", "Token ", "Token \xff", "Token " + "x" * 4000, "Basic " + "=" * 99, "Bearer x"],
    "Cookie": ["sessionid=\xff", "sessionid=" + "x" * 4000, "=;=;=", "csrftoken=\x01"],
    "Content-Encoding": ["gzip", "br", "x"],
    "Accept-Language": ["\xff", "x" * 4000],
    "X-Forwarded-For": ["\xff", "x", "1.2.3.4," * 500],
}


DOCUMENTS = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"1",
    b'"x"',
    b"\x00",
    b"\xff\xfe",
    b"NaN",
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b"9" * 5000,
    b"[" * 100_000,
    b'{"a":' * 5000,
    b'{"a": "\\u0000"}',
    b'{"a": "\\ud800"}',
    b'{"\\ud800": 1}',
    b"\xef\xbb\xbf{}",
    b'{"a": ' + b"9" * 400 + b"}",
    b"{" + b",".join(b'"%d":1' % n for n in range(3000)) + b"}",
]


TYPES = [
    "text/plain",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json; charset=x",
    "\xff",
    "application/json; charset=utf-16",
    "application/xml",
    "",
]
