"""The eval classes, and what they share."""
