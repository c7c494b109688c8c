"""Which free text of a header may be written: descriptions made of listed words only.

Series descriptions are typed by people and may hold names. A description is written where every
word is in the vocabulary of radiology below or a short number, and withheld otherwise: a name that
happens to be such a word (Art, Stand) tells nobody anything beside the words around it.
"""

import re

WITHHELD = "(withheld)"
"""Stands for a description that holds other words."""

_ANATOMY = """
    ab abd abdo abdomen abdominal aorta body brain cap ch chest head hepatic liver lung neck
    pancreas pel pelvis spleen thorax trunk upper vein whole
"""
_PHASES = """
    ap art arterial ce con contrast dce delay delayed delays dynamic early eob enhanced
    equilibrium gd hbp hepatobiliary iv late multi multiphase native nc non noncon noncontrast
    phase phases portal post pre pv pvp unenhanced ven venous with without wo
"""
_ACQUISITION = """
    ac acquisition adc asset ax axial bh blade bone breath calibration cor coronal ct cta ctac
    diff diffusion dixon dwi ep epi fast fat fb fgre fiesta flair flash frfse fs fse gre haste
    hold in lava loc localizer map mask min mip mpr mr mra mri nac nav obl oblique opp out pd pet
    plane plus pt radial recon resp routine sag sagittal scout sense sequence series sharp slice
    soft space spair spc spgr ssfse stack standard std stir stnd suv thick thin tissue tra
    transverse trig trufi tse twist vibe volume water wb width
"""
_OBJECTS = """
    ai aimi artery background bladder bowel colon cord corrected couch ctv cyst duct duodenum
    enhancing esophagus external femur gallbladder gtv hcc heart itv ivc kidney kidneys label left
    lesion manual mass masks muscle necrosis necrotic organ ptv pvtt radiologist remnant rib right
    roi rtstruct seg segment segmentation segmentations skin spinal stomach structure structures
    tabletop thrombus tumor tumors tumour tumours vena cava vertebra vessel vessels viable
"""
_SMALL_WORDS = """
    and cm for hu mm ms of on sec the to
"""
_WORDS = frozenset(f"{_ANATOMY} {_PHASES} {_ACQUISITION} {_OBJECTS} {_SMALL_WORDS}".split())
_LONGEST_NUMBER = 3
"""Digits of a number that may be written; longer ones may be dates or identifiers."""

_MOST_DIGITS = 4
"""Digits of all numbers without a unit together: many short numbers make an identifier too."""

_MEASURED = re.compile(r"[0-9]+(?:\.[0-9]+)? ?(?=(?:cm|hu|hz|kv|min|ml|mm|phase|s|sec)\b)")
"""Numbers with a unit, as in 2.5 mm and 3 phase."""

_RUNS = re.compile(r"[a-z]+|[0-9]+")
_DATE = re.compile(r"[0-9]+[\s./_-]+[0-9]+[\s./_-]+[0-9]+")
"""Three numbers in a row, as in 12.04.56."""


def safe_description(text: str) -> str:
    """Return a description if it holds nothing but listed words and short numbers.

    Returns
    -------
    str
        The text as given, the empty string for an empty one, else :data:`WITHHELD`.
    """
    text = text.strip()
    return text if not text or is_safe(text) else WITHHELD


def is_safe(text: str) -> bool:
    """Tell whether a text holds nothing but listed words, single letters and short numbers.

    Letters and digits are judged apart, so ``5MM`` is a number and a unit.
    """
    if not text.isascii() or not text.isprintable() or _DATE.search(text):
        return False
    if sum(sign.isdigit() for sign in _MEASURED.sub("", text.lower())) > _MOST_DIGITS:
        return False
    return all(_is_listed(run) for run in _RUNS.findall(text.lower()))


def _is_listed(run: str) -> bool:
    if run.isdigit():
        return len(run) <= _LONGEST_NUMBER
    return len(run) == 1 or run in _WORDS
