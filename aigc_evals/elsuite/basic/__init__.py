"""Evals that compare an answer with the ideal by a rule."""
