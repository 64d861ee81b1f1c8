"""`python -m modelyard`."""

import sys

from modelyard.cli.main import main

sys.exit(main())
