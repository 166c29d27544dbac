"""What is done with logs and registries besides running: compare, report, samples, score, list, show.

One module a command, each a function that a Python user can call; none of them makes events of its own.
"""
