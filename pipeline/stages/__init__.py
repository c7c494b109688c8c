"""One file a DVC stage: a pure ``run`` and a thin ``main``."""
