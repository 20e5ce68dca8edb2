"""Specs that nobody wrote: generated, changed in one place, mistyped; and how each is judged."""
