"""What users test with: cases beside a spec. `plait test` calls it."""
