"""Cases beside a spec: what its sources hold, and what rows and failures must come of it.

`suite` is what callers use: it reads a file of cases, runs them and updates the file. A case runs the real engine over
inputs in memory.
"""
