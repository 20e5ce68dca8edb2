"""What is wrong, where, and what to do about it; how that is shown, and the errors of a run.

Every other folder may use it; it uses none of them.
"""
