"""The shop of the main job, filled once, and the results of the run."""

from integration.main_job.conftest import shop
from reliability.results import results

__all__ = ["results", "shop"]
