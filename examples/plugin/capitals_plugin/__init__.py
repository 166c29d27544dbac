"""An example of a plugin of aigc_evals."""
