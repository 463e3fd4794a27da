"""``python -m smsd.cli``."""

import sys

from smsd.cli import main

sys.exit(main())
