"""Liver-function scores."""

from math import log10, nan


def compute_albi(bilirubin_umol_l: float, albumin_g_l: float) -> float:
    """Compute the albumin-bilirubin score; lower is better liver function.

    ``0.66 * log10(bilirubin [umol/L]) - 0.085 * albumin [g/L]`` (Johnson et al., J Clin Oncol
    2015;33:550, doi 10.1200/JCO.2014.57.9151). NaN where either input is missing. Values in
    mg/dL and g/dL give nonsense near zero: convert before.
    """
    if bilirubin_umol_l != bilirubin_umol_l or albumin_g_l != albumin_g_l:
        return nan
    return 0.66 * log10(bilirubin_umol_l) - 0.085 * albumin_g_l


def albi_grade(score: float) -> int:
    """Return grade 1 (score <= -2.60), 2 (<= -1.39) or 3, as in the paper of the score."""
    if score <= -2.60:
        return 1
    return 2 if score <= -1.39 else 3
