"""Sessions, clients and retries of AWS, and what its errors mean. Storage, the engine and connectors' clients are made of it."""
