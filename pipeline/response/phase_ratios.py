"""Ratios between phases and between tumour and liver, from the means of two regions.

All come from mean values (HU or MR signal) of tumour T and reference liver L on native, arterial
(AP), portal (PV) and hepatobiliary (HBP) phases. Sources stand with each function; the forms marked
"customary" have no single source. T2 and HBP ratios are ``divide(tumour, liver)`` like the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.domain.scan import Modality
from pipeline.response.measured import Measured, Missing, divide, scale, subtract

LEAST_GAIN_SHARE = 0.02
"""MR: a gain below this share of the native signal is no denominator, but noise. Own proposal."""

LEAST_GAIN_HU = 5.0
"""CT: the same in HU. The native HU of tissue near 0 have no share to speak of. Own proposal."""

COMPARED_PHASES = {
    Modality.CT: ("arterial", "portal", "delayed"),
    Modality.MR: ("arterial", "portal", "delayed", "hbp", "t2"),
}
"""Phases on which the tumour is always compared with liver; others where they are there."""

LATE_PHASES = {"portal": "washout_percent", "delayed": "washout_percent_delayed"}
"""Phases in which contrast may have washed out, and what the measure is called."""

UNCHANGED_BY_CONTRAST = ("native", "t1", "t2", "dwi")
"""Phases before contrast or without it; on the others lipiodol passes for enhancement."""

VOWEL_SOUNDS = ("a", "e", "hbp", "i", "o")
"""What phases begin with that are spoken of as "an" phase."""


@dataclass(frozen=True, slots=True)
class PhaseMeans:
    """Means of one region by phase.

    Parameters
    ----------
    region : str
        Its name, for reasons.
    means : mapping of str to float or Missing
        By phase, in the image's unit.
    """

    region: str
    means: Mapping[str, Measured]

    def on(self, phase: str) -> Measured:
        """Return the mean on a phase, or that there is none."""
        article = "an" if phase.startswith(VOWEL_SOUNDS) else "a"
        return self.means.get(phase, Missing(f"no {self.region} on {article} {phase} phase"))

    def gain(self, phase: str) -> Measured:
        """Return the mean on a phase minus the native mean."""
        return subtract(self.on(phase), self.on("native"))

    def least_gain(self, modality: Modality, least_hu: float) -> float:
        """Return the gain that a denominator must exceed; 0 on MR without a native phase."""
        if modality is Modality.CT:
            return least_hu
        native = self.on("native")
        return 0.0 if isinstance(native, Missing) else LEAST_GAIN_SHARE * abs(native)


def compute_aphe_ratio(tumour: PhaseMeans, liver: PhaseMeans, least: float) -> Measured:
    """Return ``(T_AP - T_native) / (L_AP - L_native)``: arterial hyperenhancement; customary.

    Above 1 the tumour gains more than liver. Missing where liver gains at most ``least``, as in
    an early phase: the ratio then has no bound.
    """
    name = "gain of liver in the arterial phase"
    return divide(tumour.gain("arterial"), liver.gain("arterial"), name, least)


def compute_enhancement(tumour: PhaseMeans, phase: str, modality: Modality) -> Measured:
    """Return the gain on a phase: in HU on CT, relative to the native signal on MR; customary."""
    gain = tumour.gain(phase)
    if modality is Modality.CT:
        return gain
    return divide(gain, tumour.on("native"), "native signal of the tumour")


def compute_washout_percent(tumour: PhaseMeans, late: str = "portal") -> Measured:
    """Return ``100 * (T_AP - T_late) / T_AP``: relative washout (PMC6808613)."""
    fall = subtract(tumour.on("arterial"), tumour.on(late))
    name = "tumour in the arterial phase"
    return scale(divide(fall, tumour.on("arterial"), name), 100)


def compute_arterial_enhancement_fraction(tumour: PhaseMeans, least: float) -> Measured:
    """Return ``100 * (T_AP - T_native) / (T_PV - T_native)`` in percent.

    Above 100 where the tumour washes out. Fell from 52.7 to 38.9 % in responders to DEB-TACE
    (doi 10.1186/s40644-022-00477-z). Missing where the tumour gains no more than ``least`` in the
    portal phase.
    """
    name = "gain of the tumour in the portal phase"
    fraction = divide(tumour.gain("arterial"), tumour.gain("portal"), name, least)
    return scale(fraction, 100)


def compute_tumour_liver_ratio(tumour: PhaseMeans, liver: PhaseMeans, phase: str) -> Measured:
    """Return ``T / L`` on a phase, for arterial, portal, hepatobiliary, T2 images alike.

    Arterial groups in use: below 1, 1 to 1.5, 1.5 and more (mco.2021.2442). Below 1 on a late phase
    the tumour is darker than liver, which is washout; the inverse times 100 is the percentage
    attenuation ratio, of which 107 or more on the delayed phase told HCC (PMID 23255745).
    """
    return divide(tumour.on(phase), liver.on(phase), f"{liver.region} in the {phase} phase")


def measure_phase_ratios(
    tumour: PhaseMeans,
    liver: PhaseMeans,
    modality: Modality,
    dense: Missing | None = None,
    least_gain_hu: float = LEAST_GAIN_HU,
) -> dict[str, Measured]:
    """Return the mean on every phase and all ratios to liver, each a number or a reason.

    Parameters
    ----------
    tumour, liver : PhaseMeans
        Means by phase; an absent phase makes the ratios missing that need it.
    modality : Modality
        What the means are.
    dense : Missing, optional
        From ``find_lipiodol``: withholds what reads attenuation rather than a gain, because oil is
        dense on every phase.
    least_gain_hu : float
        On CT, the gain that one that is divided by must exceed.
    """
    least_liver, least_tumour = (
        region.least_gain(modality, least_gain_hu) for region in (liver, tumour)
    )
    gains: dict[str, Measured] = {
        "aphe_ratio": compute_aphe_ratio(tumour, liver, least_liver),
        "enhancement_arterial": compute_enhancement(tumour, "arterial", modality),
        "enhancement_portal": compute_enhancement(tumour, "portal", modality),
        "arterial_enhancement_fraction_percent": compute_arterial_enhancement_fraction(
            tumour, least_tumour
        ),
    }
    measures = gains | {
        name: _withhold(compute_washout_percent(tumour, late), dense)
        for late, name in LATE_PHASES.items()
    }
    for phase in dict.fromkeys((*COMPARED_PHASES[modality], *tumour.means)):
        against = None if phase in UNCHANGED_BY_CONTRAST else dense
        if phase in tumour.means:
            measures[f"mean_{phase}"] = _withhold(tumour.on(phase), against)
        ratio = compute_tumour_liver_ratio(tumour, liver, phase)
        measures[f"tumour_liver_ratio_{phase}"] = _withhold(ratio, against)
    return measures


def _withhold(value: Measured, against: Missing | None) -> Measured:
    """Return why a value says nothing, if so; one that is not there keeps its own reason."""
    return value if isinstance(value, Missing) or against is None else against
