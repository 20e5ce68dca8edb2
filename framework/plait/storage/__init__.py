"""Objects on S3 and in local folders, read and written many at once.

The engine uses it, and gives it to connectors as the `objects` of their context.
The command line only looks up which error numbers mean a full disk.
"""
