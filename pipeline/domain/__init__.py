"""The nouns of the pipeline: immutable, valid from birth, free of input and output."""
