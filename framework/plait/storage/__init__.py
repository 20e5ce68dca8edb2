"""Objects on S3 and in local folders, read and written many at once.

The engine uses it, and lends it to connectors as the `objects` of their context.
"""
