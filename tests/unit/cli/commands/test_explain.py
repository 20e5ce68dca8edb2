"""On a terminal, a page of `plait explain` looks as its Markdown means."""

from __future__ import annotations

import os
import pty
import subprocess
import sys


def test_a_page_on_a_terminal_has_colours_in_place_of_marks() -> None:
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    environment.pop("NO_COLOR", None)
    arguments = [sys.executable, "-P", "-c", "from plait.cli.main import main; main()", "explain", "no-age"]
    subprocess.run(arguments, stdout=follower, check=True, env=environment)
    shown = os.read(leader, 100_000).decode()
    os.close(follower)
    os.close(leader)
    assert "no-age" in shown
    assert "\x1b[" in shown
    assert "##" not in shown
    assert "```" not in shown
