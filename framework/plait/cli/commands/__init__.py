"""The commands, one module each, named as its command; each defines a click command called `command`.

Only `plait.cli.main` imports them, and only the one that is called.
"""
