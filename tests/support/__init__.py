"""What the tests of this package share: the command line as real processes, small registries, reading logs."""
