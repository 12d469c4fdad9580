"""The committed sample: what the generator writes, and what a run brings out of it."""
