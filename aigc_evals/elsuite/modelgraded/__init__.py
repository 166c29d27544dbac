"""Evals whose answers are graded by a model."""
