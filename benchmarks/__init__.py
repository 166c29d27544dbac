"""What the runner costs, measured on whole processes against a bare client and against oaieval.

``python -m benchmarks`` prints the tables of the README; ``python -m benchmarks NAME...`` only some of them.
"""
