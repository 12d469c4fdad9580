"""The policy documents themselves: a bureau lays its own copies into `policy/`, and clauses are found in them."""
