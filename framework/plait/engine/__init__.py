"""Run a pipeline: driving objects in; files, quarantine and a report out.

`Engine` runs, `replay` runs what is in quarantine again, `probe_blocks` tries each block of a spec. `pipeline`,
`aws_lambda`, `testing` and `cli` call them.
"""
