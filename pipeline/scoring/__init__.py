"""From a bundle and new patients to answers, through the same stages as training."""
