"""A spec in Python: plan, list, guess, preview, run and replay it. The command line and notebooks call it."""
