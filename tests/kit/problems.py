"""Which pages of problems are of runs, not of specs."""

CHAPTERS_OF_RUNS = ("Records in quarantine", "While it runs", "Cases beside a spec")
