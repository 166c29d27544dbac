"""A registry folder: evals, completion_fns, data."""
