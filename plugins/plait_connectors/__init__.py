"""The connectors that are maintained with plait: one module each, which an entry point of the group `plait` names.

plait finds and calls them like any other connector. A module whose name begins with `_` is used only by the others.
"""
