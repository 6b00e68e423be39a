"""`python -m fashionlib.cli`, where the command isn't on the path."""

import sys

from fashionlib.cli import main

sys.exit(main())
