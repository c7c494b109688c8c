"""The answer for one patient."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Probability of the positive outcome for one patient, and what to know about it.

    Parameters
    ----------
    patient_id : str
        The cohort's pseudonymous identifier.
    probability : float
        Between 0 and 1.
    missing : tuple of str
        Features that the model uses and this patient lacks; they were imputed.
    warnings : tuple of str
        Reasons for caution, such as values outside the range seen in training.

    Raises
    ------
    ValueError
        If the probability is not within 0 and 1.
    """

    patient_id: str
    probability: float
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            msg = f"probability must be within 0 and 1, got {self.probability}"
            raise ValueError(msg)
