"""Which technical attributes of a header may be written, by their content.

An attribute may be technical and its content all the same what somebody typed into it: a hospital
as the manufacturer, or a formula that a spreadsheet would run.
"""

import re
from collections.abc import Mapping

from pipeline.ingest.description_words import WITHHELD

MAKERS = (
    *("Agfa", "Canon", "Esaote", "Fujifilm", "GE", "Hitachi", "Mediso", "Neusoft", "Philips"),
    *("Samsung", "Shimadzu", "Siemens", "Toshiba", "UIH", "United Imaging", "Varian"),
)
"""Makers of scanners whose names are written; any other text of Manufacturer is withheld."""

_MODELS = """
    achieva activion advance aera alexion all alpha altaire amira aquilion architect artist
    astelan avanto biograph brightspeed brilliance celesteion century core creator definition
    discovery drive duo echelon edge elan elite elscint emotion entry espree esprit essenza
    evolution exact excel excite exelart expert explorer extended flash flow force galan gantry
    gemini genesis go harmony hdx hdxt hispeed ict imatron impact inception infinity ingenia
    ingenuity intera iq iqon kylin lightning lightspeed lumina magnetom mct mobile mode multiva
    mx naeotom nexus novus now oasis omni one open optima orian panorama perspective pet philips
    phoenix pioneer plus precedence premier prime prisma prismatom pro quantum ranger revolution
    scenaria scope secura select sempra sensation septre signa skyra sola somaris somatom sonata
    spectra spectral spirit start supria symphony time titan top trio triumph true truebeam uct
    ultra umr up upmr vantage vct verio vida vision volume voyager xperience xpress xr xt zoom
"""
_KERNELS = """
    bone boneplus chest detail edge head hires lung medium sharp sharper sharpest smooth smoother
    soft standard std tissue ultra uhd
"""
_CODES = """
    admin bqml cnts cps gml gr ir mtc none osp propcnts rm se sk sp ss start stddev suv trss
"""
"""Units, DecayCorrection, ScanningSequence and SequenceVariant (PS3.3 C.8.9.1 and C.8.3.1)."""

_LISTED = frozenset(f"{_MODELS} {_KERNELS} {_CODES}".split())
_LONGEST_NUMBER = 4
"""Digits of a number in a text; longer ones may be dates or identifiers."""

_LONGEST_CODE = 2
"""Letters of a part that need not be listed, as the kernels FC08 and Br40d have."""

_TEXTS = (
    *("ManufacturerModelName", "ConvolutionKernel", "ScanningSequence", "SequenceVariant"),
    *("Units", "DecayCorrection"),
)
"""Attributes that are texts; the others are numbers."""

_NUMBER = re.compile(r"-?[0-9.]+(e-?[0-9]+)?(\\-?[0-9.]+(e-?[0-9]+)?)*", re.IGNORECASE)
_TEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/+()\\-]{0,63}")
_RUNS = re.compile(r"[a-z]+|[0-9]+")
_MOST_DIGITS = 6
"""Digits of a text together."""


def safe_technical(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return attributes by keyword with what must not be written withheld.

    Makers go by their usual name. Numbers are written as they are, and so are texts of listed
    words, short numbers and pairs of letters, such as ``LightSpeed VCT`` and ``B30f``. They begin
    with a letter or digit, so that none is a formula.
    """
    return {keyword: _safe(keyword, value) for keyword, value in attributes.items()}


def _safe(keyword: str, value: str) -> str:
    if keyword == "Manufacturer":
        words = re.split(r"[^a-z]+", value.lower())
        return next((maker for maker in MAKERS if _names(maker, words)), WITHHELD)
    if keyword in _TEXTS:
        return value if _is_plain(value) else WITHHELD
    return value if _NUMBER.fullmatch(value) else WITHHELD


def _is_plain(text: str) -> bool:
    digits = sum(sign.isdigit() for sign in text)
    runs = _RUNS.findall(text.lower())
    return bool(_TEXT.fullmatch(text)) and digits <= _MOST_DIGITS and all(map(_is_listed, runs))


def _is_listed(run: str) -> bool:
    if run.isdigit():
        return len(run) <= _LONGEST_NUMBER
    return len(run) <= _LONGEST_CODE or run in _LISTED


def _names(maker: str, words: list[str]) -> bool:
    return all(word in words for word in maker.lower().split())
