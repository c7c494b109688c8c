"""What happens to each synthetic patient: pathology, tumour on images, markers."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from scipy.stats import norm

from pipeline.synthetic.effects import AFP_UPPER_NORMAL_NG_ML, PCR_SHARE, Effects

_MEDIAN_DIAMETER_MM, _DIAMETER_LOG_SD = 58.0, 0.3
_DIAMETER_RANGE_MM = (40.0, 86.0)
_SMALLEST_PREOP_DIAMETER_MM = 18.0
_VIABLE_RANGE = (0.55, 0.95)
_AFP_NORMAL_SHARE, _PIVKA_NORMAL_SHARE = 0.30, 0.12
_LARGEST_INCOMPLETE_PERCENT = 99.0

COMPLETE_PERCENT = 100.0
"""Necrosis that counts as pathological complete response."""

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def compute_truth(noise: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    """Turn noise into the course of each patient, before anything is measured or lost.

    Parameters
    ----------
    noise : pandas.DataFrame
        Standard normal numbers as :func:`pipeline.synthetic.noise.draw_noise` makes them.
    effects : Effects
        What is planted.

    Returns
    -------
    pandas.DataFrame
        One row a patient: ``necrosis_percent``; for each time point ``diameter_mm_*`` (longest
        axial diameter), ``viable_fraction_*`` (of tumour volume, as seen on images) and
        ``viable_diameter_mm_*`` (of the sphere-equivalent share: diameter times the cube root
        of the fraction); ``arterial_gain`` (relative enhancement); ``afp_*`` in ng/mL and
        ``pivka_*`` in mAU/mL.
    """
    necrosis = _pathology(noise, effects)
    complete = necrosis == COMPLETE_PERCENT
    truth = pd.DataFrame({"necrosis_percent": necrosis}, index=noise.index)
    for part in (_tumour, _afp, _pivka):
        truth = truth.join(part(noise, effects, complete))
    truth["arterial_gain"] = np.exp(0.2 * _follow(noise, "arterial", effects.arterial_loading))
    return truth


def follow_response(noise: pd.DataFrame, variable: str, loading: float) -> Floats:
    """Return standard normal numbers that correlate with the latent response as ``loading``."""
    own = noise[variable].to_numpy()
    return np.asarray(loading * noise["response"].to_numpy() + np.sqrt(1 - loading**2) * own)


_follow = follow_response


def _pathology(noise: pd.DataFrame, effects: Effects) -> Floats:
    z = _follow(noise, "pathology", effects.pathology_loading)
    partial = 100 * expit(effects.pathology_location + effects.pathology_slope * z)
    whole_percent = np.minimum(np.round(partial), _LARGEST_INCOMPLETE_PERCENT)
    return np.where(z > norm.ppf(1 - PCR_SHARE), COMPLETE_PERCENT, whole_percent)


def _tumour(noise: pd.DataFrame, effects: Effects, complete: Bools) -> pd.DataFrame:
    diameter = _MEDIAN_DIAMETER_MM * np.exp(_DIAMETER_LOG_SD * noise["diameter"].to_numpy())
    diameter = np.clip(diameter, *_DIAMETER_RANGE_MM)
    z_shrinkage = _follow(noise, "shrinkage", effects.shrinkage_loading)
    shrinkage = effects.shrinkage_mean + effects.shrinkage_sd * z_shrinkage
    preop = np.clip(diameter * np.exp(-shrinkage), _SMALLEST_PREOP_DIAMETER_MM, 90.0)
    low, high = _VIABLE_RANGE
    viable = low + (high - low) * norm.cdf(noise["baseline_viable"].to_numpy())
    z_necrosis = _follow(noise, "necrosis", effects.necrosis_loading)
    z_necrosis = z_necrosis + effects.pcr_necrosis_shift * complete
    lost = np.exp(effects.necrosis_log_mean + effects.necrosis_log_sd * z_necrosis)
    masked = noise["masked"].to_numpy() < norm.ppf(effects.masked_share)
    none_left = masked | (z_necrosis > effects.complete_above)
    viable_preop = np.where(none_left, 0.0, viable * np.exp(-3 * lost))
    return pd.DataFrame(
        {
            "diameter_mm_baseline": diameter,
            "diameter_mm_preop": preop,
            "viable_fraction_baseline": viable,
            "viable_fraction_preop": viable_preop,
            "viable_diameter_mm_baseline": diameter * np.cbrt(viable),
            "viable_diameter_mm_preop": preop * np.cbrt(viable_preop),
        },
        index=noise.index,
    )


def _afp(noise: pd.DataFrame, effects: Effects, complete: Bools) -> pd.DataFrame:
    normal = noise["afp_class"].to_numpy() < norm.ppf(_AFP_NORMAL_SHARE)
    z = noise["afp_baseline"].to_numpy()
    baseline = np.where(normal, _lognormal(6, 0.6, z), _lognormal(1300, 2.2, z))
    z_decline = _follow(noise, "afp_decline", effects.afp_loading)
    decline = effects.afp_decline_mean + effects.afp_decline_sd * z_decline
    decline = decline + effects.pcr_marker_drop * complete
    background = _lognormal(4, 0.4, noise["afp_background"].to_numpy())
    secreted = background + baseline * np.exp(-decline)
    steady = baseline * background / 4
    preop = np.where(baseline <= AFP_UPPER_NORMAL_NG_ML, steady, secreted)
    return pd.DataFrame({"afp_baseline": baseline, "afp_preop": preop}, index=noise.index)


def _pivka(noise: pd.DataFrame, effects: Effects, complete: Bools) -> pd.DataFrame:
    normal = noise["pivka_class"].to_numpy() < norm.ppf(_PIVKA_NORMAL_SHARE)
    z = noise["pivka_baseline"].to_numpy()
    baseline = np.where(normal, _lognormal(25, 0.3, z), _lognormal(2200, 1.9, z))
    z_decline = _follow(noise, "pivka_decline", effects.pivka_loading)
    decline = effects.pivka_decline_mean + effects.pivka_decline_sd * z_decline
    decline = decline + effects.pcr_marker_drop * complete
    background = _lognormal(20, 0.3, noise["pivka_background"].to_numpy())
    preop = background + np.where(normal, 0.0, baseline * np.exp(-decline))
    return pd.DataFrame({"pivka_baseline": baseline, "pivka_preop": preop}, index=noise.index)


def _lognormal(median: float, log_sd: float, z: Floats) -> Floats:
    return np.asarray(median * np.exp(log_sd * z))
