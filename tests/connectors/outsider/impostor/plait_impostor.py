"""A module that nobody may import: it leaves a mark where `IMPOSTOR_MARK` says."""

import os
from pathlib import Path

Path(os.environ["IMPOSTOR_MARK"]).touch()
