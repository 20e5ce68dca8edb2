"""A spec in Python: plan, list, preview, run and replay it. The command line and notebooks call it."""
