#!/usr/bin/env python3
"""The one entry point: `demo`, `test`, `bench`, and every command of Django.

With no environment active it builds `.venv` first and goes on inside it. `platform/` is a source root, not a
package: it is put behind the project's own folder on the path, so that Python's own `platform` module stays itself.
"""

import os
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))


def main() -> int:
    """Run one command line; return its exit code: 0 done, 1 failed, 2 bad arguments."""
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.stderr.write("Voxloop needs Python 3.11 or newer; this is Python %s.\n" % sys.version.split()[0])  # noqa: UP031
        return 1
    sys.path.insert(1, os.path.join(ROOT, "platform"))
    from voxloop.embedded.entry import run  # noqa: PLC0415 - found on the path that was set above

    return run(ROOT, sys.argv)


if __name__ == "__main__":
    sys.exit(main())
