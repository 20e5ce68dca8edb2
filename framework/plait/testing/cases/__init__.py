"""Cases beside a spec: what its sources hold, and what must come of it, without AWS, network or clock."""
