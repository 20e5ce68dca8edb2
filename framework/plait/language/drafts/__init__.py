"""Read the blocks of a spec into the values of a `Spec`, reporting the problems of each block.

`language` calls it; `plait schema` asks it which connectors are usable.
"""
