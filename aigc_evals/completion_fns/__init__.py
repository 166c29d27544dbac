"""Completion functions: the systems under test, one module each."""
