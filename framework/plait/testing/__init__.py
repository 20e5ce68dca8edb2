"""What users test their specs with: cases beside a spec, which run without AWS, network or clock.

`plait test` and `plait validate` call it. It uses every folder down to the engine; nothing that runs in Lambda uses it.
"""
