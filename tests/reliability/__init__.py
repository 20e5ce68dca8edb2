"""What must hold however often, however late, and whatever breaks in between; large budgets by `make reliability`."""
