"""The commands, one per module, each found by its name as `command`."""
