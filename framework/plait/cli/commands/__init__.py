"""The commands, one module each, which `plait.cli.main` imports by the command's name; each has a `command`."""
