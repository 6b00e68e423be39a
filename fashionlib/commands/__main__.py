"""`python -m fashionlib.commands`, where the command isn't on the path."""

import sys

from fashionlib.commands import main

sys.exit(main())
