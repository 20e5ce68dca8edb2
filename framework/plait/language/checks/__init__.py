"""What the blocks of a spec mean together, and what of that cannot be right. Only `language` calls it."""
