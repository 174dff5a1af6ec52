"""Work in a child process; request and result are files in one folder (docs/ml-contract.md).

The parent (`outside`) writes `request.json`, starts `python -m MODULE FOLDER` without credentials, bounds and watches
it, and reads `result.json`. The child (`inside`) writes its progress to `progress.jsonl` and ends with its parent.
Imports of scans and the stages of the ML service run like this. Uses neither Django nor torch nor a database."""

from voxloop.child.documents import (
    VERSION,
    ContractError,
    Document,
    from_json,
    read_json,
    require,
    sync_folder,
    to_json,
    write_json,
)
from voxloop.child.protocol import Bounds, ChildError, ChildProgress, Failure

__all__ = [
    "VERSION",
    "Bounds",
    "ChildError",
    "ChildProgress",
    "ContractError",
    "Document",
    "Failure",
    "from_json",
    "read_json",
    "require",
    "sync_folder",
    "to_json",
    "write_json",
]
