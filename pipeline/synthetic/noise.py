"""Independent standard normal numbers, one row a patient, from a stream of the patient's own."""

from enum import IntEnum

import numpy as np
import pandas as pd

VARIABLES = (
    "response", "pathology", "necrosis", "shrinkage", "masked", "baseline_viable", "diameter",
    "arterial", "afp_class", "afp_baseline", "afp_decline", "afp_background", "pivka_class",
    "pivka_baseline", "pivka_decline", "pivka_background", "albumin", "albumin_change",
    "bilirubin", "bilirubin_change", "platelets", "platelets_change", "ast", "ast_change", "alt",
    "alt_change", "age", "sex", "hbv", "cirrhosis", "tumour_number", "pvtt", "regimen", "cycles",
    "site", "modality", "lipiodol", "lipiodol_share", "enrolment", "start_lag", "interval",
    "scan_lag", "pathology_lag", "draw_baseline", "draw_preop", "miss_hbv", "miss_cirrhosis",
    "miss_tumour_number", "miss_pvtt", "miss_cycles", "miss_native", "unit_albumin",
    "unit_bilirubin", "miss_timepoint", "miss_afp_baseline", "miss_afp_preop",
    "miss_pivka_baseline", "miss_pivka_preop", "miss_albumin_preop", "miss_bilirubin_preop",
)  # fmt: skip
"""What is drawn for a patient. Append new names at the end: the old draws then stay."""


class Stream(IntEnum):
    """Independent streams of one patient, so that images do not disturb tables."""

    TABLES = 0
    IMAGES = 1


def patient_generator(seed: int, patient: int, stream: Stream) -> np.random.Generator:
    """Return the generator of one patient and purpose.

    It is the generator of ``SeedSequence(seed).spawn(n)[patient].spawn(2)[stream]`` for every n:
    it depends neither on the number of patients nor on the order in which they are made.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(patient, stream)))


def draw_noise(seed: int, patients: int) -> pd.DataFrame:
    """Draw the table of ``patients`` rows and :data:`VARIABLES` columns.

    The first rows of a larger cohort are the rows of a smaller one.
    """
    rows = [
        patient_generator(seed, patient, Stream.TABLES).standard_normal(len(VARIABLES))
        for patient in range(patients)
    ]
    return pd.DataFrame(np.array(rows).reshape(patients, len(VARIABLES)), columns=list(VARIABLES))
