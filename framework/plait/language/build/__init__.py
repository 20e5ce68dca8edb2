"""Build the frozen `Spec` of a document that was checked, with the values of its parameters.

The function of a pipeline and `plait validate` both call it; it imports none of the checks, and no suggestions.
"""
