"""How much is tried: little and always the same in continuous integration, much by `make reliability`."""

import os

LARGE = os.environ.get("PLAIT_BUDGET") == "large"
SEED = int(os.environ.get("PLAIT_SEED", "5"))


def budget(small: int, large: int) -> int:
    """The number of this run."""
    return large if LARGE else small
