"""The engine over history: a plan of batches, and where they run."""
