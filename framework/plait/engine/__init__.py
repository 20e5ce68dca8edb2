"""Driving objects in; files, quarantine and a report out. Everything that runs a pipeline calls `Engine`."""
