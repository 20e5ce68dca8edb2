"""The command line and a small project, for the pages that show them."""

from unit.cli.commands.conftest import orders, plait, project

__all__ = ["orders", "plait", "project"]
