"""Answers as text for a terminal and as JSON documents: plans, costs, changes, reports, rows.

The commands call them, and the sandbox's demo. Only the progress of a run prints; all else returns what a command prints.
"""
