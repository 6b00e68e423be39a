"""`python -m wardrobe`, where the command isn't on the path."""

import sys

from wardrobe.command import main

sys.exit(main())
