"""`python -m piio`, the same as `piio`."""

import sys

from piio.command import main

sys.exit(main())
