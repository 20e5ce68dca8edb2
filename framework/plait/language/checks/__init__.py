"""Check what the keys of a block, and the blocks of a spec, mean together. Only `language` calls it."""
