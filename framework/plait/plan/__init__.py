"""What a run will do, without doing it: schema, stages, differences of two plans, costs. It is pure and needs no credentials."""
