"""The small package behind the book: read, caption, score, recommend.

Each module stands alone; notebooks join them.
"""

import logging

__version__ = "0.1.0"

# transformers imports bitsandbytes where it is installed, which asks for a kernel of 4
# bits on a CPU
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
