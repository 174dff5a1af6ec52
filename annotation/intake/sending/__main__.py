import sys

from annotation.intake.sending.command import main

sys.exit(main(sys.argv[1:]))
