import sys

from objects.command import main

sys.exit(main(sys.argv[1:]))
