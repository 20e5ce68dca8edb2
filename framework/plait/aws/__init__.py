"""Sessions, clients and retries of AWS, and what its errors mean.

Storage, plugin, the engine and the function use it; a connector gets its clients from its context, and `calling` from `plait.plugin`.
"""
