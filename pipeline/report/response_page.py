"""The page of one patient's response: pictures of every visit, registrations, measures."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from pipeline.domain.scan import Modality
from pipeline.imaging.registration import Registration
from pipeline.report.page import render_page, render_template
from pipeline.report.patient import Fact
from pipeline.report.plain_text import plain_text
from pipeline.report.response_strip import StripPicture, gradient_css, short_number
from pipeline.report.three_planes import PANEL_PIXELS, jpeg_address
from pipeline.response.measure_names import find_unit
from pipeline.response.measured import Measured, Missing

THUMBNAIL_PIXELS = 128
"""Side of the small picture of a card."""

MAIN_MEASURES = {
    "volume_ml": "Volume",
    "recist_diameter_mm": "Longest diameter (RECIST 1.1)",
    "mrecist_diameter_mm": "Longest viable diameter (mRECIST)",
    "easl_product_mm2": "Product of viable diameters (EASL)",
    "enhancing_volume_ml": "Viable (enhancing) volume",
    "necrosis_fraction": "Necrotic (non-enhancing) share",
    "qeasl_k0_percent": "qEASL, k = 0",
    "qeasl_k2_percent": "qEASL, k = 2",
    "largest_cluster_ml": "Largest viable piece",
    "gain_mean": "Mean gain, arterial - native",
    "lipiodol_percent": "Lipiodol, share of the tumour",
    "aphe_ratio": "Arterial hyperenhancement, tumour / liver",
    "washout_percent": "Washout, arterial to portal",
    "arterial_enhancement_fraction_percent": "Arterial enhancement fraction",
    "adc_mean": "Mean ADC",
    "suv_max": "SUVmax",
    "suv_peak": "SUVpeak",
    "mtv_ml": "Metabolic tumour volume",
}
"""Measures that stand first, and what they are called; the others follow, folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitView:
    """What the page shows of one lesion at one time point on one modality.

    Parameters
    ----------
    title : str
        Such as ``preop CT, lesion 1``.
    modality : Modality
        Of the visit.
    pictures : sequence of StripPicture
        Empty where the visit could not be drawn.
    registrations : mapping of str to Registration
        By what was laid on what.
    measures : mapping of str to float or Missing
        By name without the modality.
    failure : str
        Why the visit could not be drawn.
    """

    title: str
    modality: Modality
    pictures: Sequence[StripPicture] = ()
    registrations: Mapping[str, Registration]
    measures: Mapping[str, Measured]
    failure: str = ""

    @property
    def absent(self) -> list[StripPicture]:
        """What could not be drawn."""
        return [picture for picture in self.pictures if picture.base is None]

    @property
    def facts(self) -> list[Fact]:
        """The measures that stand first, as far as there are such."""
        names = [name for name in MAIN_MEASURES if isinstance(self.measures.get(name), float)]
        return [self._fact(name, MAIN_MEASURES[name]) for name in names]

    @property
    def missing(self) -> dict[str, list[str]]:
        """Those of them that are missing, by reason."""
        names: dict[str, list[str]] = {}
        for name, label in MAIN_MEASURES.items():
            value = self.measures.get(name)
            if isinstance(value, Missing):
                names.setdefault(plain_text(value.reason), []).append(label)
        return names

    @property
    def other_facts(self) -> list[Fact]:
        """All other measures, in alphabetical order."""
        names = sorted(name for name in self.measures if name not in MAIN_MEASURES)
        return [self._fact(name, name.replace("_", " ")) for name in names]

    def _fact(self, name: str, label: str) -> Fact:
        value = self.measures[name]
        if isinstance(value, Missing):
            return Fact(label, "missing", plain_text(value.reason))
        unit = find_unit(f"{self.modality.lower()}_{name}")
        return Fact(label, f"{value:.3g}" if unit == "1" else f"{short_number(value)} {unit}")


@dataclass(frozen=True, slots=True)
class RegistrationRow:
    """One registration in words: figures before and after, empty where not measured."""

    what: str
    method: str
    information: str
    dice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientCard:
    """A patient in the index.

    Parameters
    ----------
    patient_id : str
        The cohort's pseudonymous identifier.
    address : str
        Of the patient's page, relative to the index.
    picture : str
        Small picture, empty where there is none.
    lines : sequence of str
        What was measured, a line a visit.
    """

    patient_id: str
    address: str
    picture: str
    lines: Sequence[str]


def render_response_page(
    patient_id: str, visits: Sequence[VisitView], *, synthetic: bool, index: str = ""
) -> str:
    """Return a self-contained HTML page without scripts.

    Parameters
    ----------
    patient_id : str
        The cohort's pseudonymous identifier.
    visits : sequence of VisitView
        In the order of the page.
    synthetic : bool
        Whether the patient is invented.
    index : str
        Address of the page that leads here, empty where there is none.
    """
    body = render_template(
        "response.html",
        sections=[(view, describe_registrations(view.registrations)) for view in visits],
        side=PANEL_PIXELS,
        gradient=gradient_css(),
        index=index,
    )
    return render_page(f"Response of {plain_text(patient_id)}", body, synthetic=synthetic)


def render_response_index(cards: Sequence[PatientCard], *, synthetic: bool) -> str:
    """Return the page that leads to every patient's."""
    body = render_template("response_index.html", cards=cards, side=THUMBNAIL_PIXELS)
    return render_page("Response, patient by patient", body, synthetic=synthetic)


def make_card(patient_id: str, address: str, visits: Sequence[VisitView]) -> PatientCard:
    """Return the card of a patient: the last visit's first phase, and sizes of all visits."""
    return PatientCard(
        patient_id=plain_text(patient_id),
        address=address,
        picture=_thumbnail(visits[-1].pictures) if visits else "",
        lines=[_summarise(view) for view in visits],
    )


def describe_registrations(registrations: Mapping[str, Registration]) -> list[RegistrationRow]:
    """Put registrations in words: method or reason, and figures before and after."""
    return [_describe(what, item) for what, item in registrations.items()]


def _describe(what: str, registration: Registration) -> RegistrationRow:
    quality = registration.quality
    method = str(registration.method)
    if registration.aligned:
        method = "none needed: aligned"
    elif registration.failed:
        method = ""
    elif method == "none":
        method = "not registered: switched off"
    after = "deformable" if method == "deformable" else "rigid"
    information = (
        quality.mutual_information_before,
        getattr(quality, f"mutual_information_{after}"),
    )
    dice = (quality.dice_before, getattr(quality, f"dice_{after}"))
    text = plain_text("; ".join(filter(None, (method, registration.failure))))
    return RegistrationRow(what, text, _from_to(information), _from_to(dice))


def _from_to(figures: tuple[float, float]) -> str:
    before, after = ("-" if value != value else f"{value:.2f}" for value in figures)
    return "" if before == after == "-" else f"{before} to {after}"


def _summarise(view: VisitView) -> str:
    if view.failure:
        return f"{view.title}: not drawn"
    shown = []
    for name, text in (("volume_ml", "{} mL"), ("necrosis_fraction", "necrotic share {}")):
        value = view.measures.get(name)
        if isinstance(value, float):
            shown.append(text.format(short_number(value)))
    return f"{view.title}: {', '.join(shown)}" if shown else view.title


def _thumbnail(pictures: Sequence[StripPicture]) -> str:
    """Return the first phase, small."""
    base = next((picture.base for picture in pictures if picture.base), None)
    if base is None:
        return ""
    content = base64.b64decode(base.address.partition(",")[2])
    picture = Image.open(io.BytesIO(content))
    picture.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    return jpeg_address(picture)
