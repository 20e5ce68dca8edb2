"""The command line: `commands/` has one module a command, `views/` what they show of an answer.

Beside them stand the options, the printing and the failures that all commands share. Only the entry point `plait` and the
sandbox's demo call it.
"""
