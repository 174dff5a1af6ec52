"""The vectors of the viewer's list of differences agree with scipy."""

import json

from tests.vectors.make_codecs import FOLDER, inflated
from tests.vectors.make_differences import document


def test_the_committed_vectors_are_what_scipy_says() -> None:
    committed = json.loads((FOLDER / "differences.json").read_text())
    assert inflated(committed) == inflated(json.loads(json.dumps(document())))
    kinds = [part["kind"] for part in committed[0]["differences"]]
    assert sorted(kinds) == ["added", "changed", "changed", "removed"]
