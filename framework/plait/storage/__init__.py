"""Objects on S3 and in local folders, many at once. The engine and connectors reach all objects through it."""
