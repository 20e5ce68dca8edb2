"""What a value may be: types, exact conversion, decoding, paths and patterns, secrets.

The language reads a spec by it and the engine converts data by it; connectors get what they need from `plait.plugin`.
"""
