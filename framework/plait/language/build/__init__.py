"""Blocks of a spec to the values of a `Spec`, with the problems of each block. Only `language` calls it."""
