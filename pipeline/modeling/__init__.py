"""The training procedure as one estimator, its cross-validation and the model bundle."""
