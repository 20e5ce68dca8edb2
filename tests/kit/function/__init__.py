"""Lambda on this machine: the runtime, the events, and how often AWS delivers them."""
