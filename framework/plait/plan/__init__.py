"""What a run will do, without doing it: stages, output schema, differences of two plans, calls and costs.

It needs no credentials and no network. The engine, `pipeline`, `testing` and the command line call it.
"""
