"""The engine over history: a plan of batches in a state beside the sink, and where they run."""
