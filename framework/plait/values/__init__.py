"""What a value may be: types, exact conversion, decoding, texts with holes, secrets. Whoever reads a spec or moves data uses it."""
