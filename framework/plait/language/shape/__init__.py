"""Say in words of a spec what is wrong with its shape: unknown and missing keys, values that do not fit, and what was meant.

`plait.language.structure` calls it with the errors of `jsonschema`, `validate` and the reader of cases with texts that do not parse.
"""
