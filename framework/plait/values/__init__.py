"""What a value may be: types, exact conversion, decoding, paths and patterns, secrets.

`language` reads a spec by it and `engine` converts data by it; `plan`, `storage`, `testing`, `deploy`, `aws_lambda` and
`plugin` use its types and paths. Connectors import what they need of it from `plait.plugin`.
"""
