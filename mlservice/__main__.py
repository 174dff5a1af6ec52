"""`python -m mlservice predict FOLDER SCAN …`, see `mlservice.alone`."""

import sys

from mlservice.alone import main

if __name__ == "__main__":
    sys.exit(main())
