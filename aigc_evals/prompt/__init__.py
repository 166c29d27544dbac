"""Prompts in the two forms models take: plain text and chat messages."""
