"""The shop of the main job, filled once."""

from main_job.conftest import shop

__all__ = ["shop"]
