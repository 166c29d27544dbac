"""Evals for trying out the runner; their samples are in the code."""
