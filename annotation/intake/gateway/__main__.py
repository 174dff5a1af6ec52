import sys

from annotation.intake.gateway.command import main

sys.exit(main(sys.argv[1:]))
