"""Comparison with openai/evals ("upstream"): its unit tests, its registry and its results against ours."""
