"""The data sets that are known, one class each; ``generate.DATASETS`` says which module has which."""
