"""A connector that does not load."""

message = "no licence"
raise RuntimeError(message)
