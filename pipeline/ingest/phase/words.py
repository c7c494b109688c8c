"""The words that name contrast phases and sequences in series descriptions.

Descriptions are free text (DICOM PS3.3 C.7.3.1, Series Description): each site writes its own. The
vocabulary is English, German, French and Chinese (signs and pinyin), some Spanish and Italian,
with the usual abbreviations; it was tried on the 829 descriptions of the 2,456 CT and MR series of
HCC-TACE-Seg, Colorectal-Liver-Metastases and TCGA-LIHC. Words are matched whole, in any case,
without accents, and each is consumed when matched, longer phrases first: ``late arterial`` is
arterial, not ``late``.

``AP`` and ``A/P`` name no phase: they are abdomen and pelvis (in HCC-TACE-Seg, 33 of 43 studies
with ``LIVER 3 PHASE (AP)`` have two such series of different phases), as ``C-A-P`` is chest,
abdomen and pelvis.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Strength = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Word:
    """A pattern of words and the phase it names.

    Parameters
    ----------
    pattern : re.Pattern
        Matches normalised text, see :func:`normalise`.
    phase : str
        Phase or sequence of ``scans.csv``.
    strength : str
        How surely.
    """

    pattern: re.Pattern[str]
    phase: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class Mention:
    """A phase that a text names, and the word that names it."""

    phase: str
    strength: Strength
    word: str


def whole(expression: str) -> re.Pattern[str]:
    """Compile an expression that matches whole words only; an underscore is no letter."""
    return re.compile(rf"(?<![a-z0-9])(?:{expression})(?![a-z0-9])")


_CONTRAST = r"(?:contrast[eo]?|contr|mdc|cont|con|km|enhanced|enh|ce|inj(?:ection)?|iv|pdc|produit)"
_NOT_TREATMENT = (
    r"(?![\s_-]*(?:op|oper\w*|tace|tare|rfa|mwa|abl\w*|biops\w*|treat\w*|therap\w*|tx|lt|"
    r"transpl\w*|chemo\w*|scan|sat|monitor\w*|proc\w*|post))"
)
"""After ``pre``: before an operation or treatment is not before contrast."""

_NOT_FAT = r"(?![\s_/-]*(?:fs\b|fat|bh\b|breath|gap|angle|flow|trig))"
"""After ``w/o``: images without fat saturation or breath-hold are not images without contrast."""

CONTRAST_WORDS: tuple[Word, ...] = (
    # Longer phrases first: a matched word is not looked at again.
    Word(
        whole(r"(?:late|early|spat|spaet)?[\s._-]*arteri(?:al|ale|ell|elle|el|eel|osa|oso)"),
        "arterial",
        "high",
    ),
    Word(whole(r"(?:late|early)[\s._-]*art"), "arterial", "high"),
    Word(whole(r"dongmai(?:qi)?"), "arterial", "high"),
    Word(re.compile("动脉(?:早|晚)?期?"), "arterial", "high"),
    Word(whole(r"art|hap|lap|eap"), "arterial", "medium"),
    Word(
        whole(
            r"(?:(?:late|early)[\s._-]*)?"
            r"porto?[\s_-]*(?:al)?[\s._/-]*(?:venous|venos|venoes|vein(?:eux|euse))(?:e[nrs]?|a|o)?"
            r"|portal[\s._-]*(?:phase|ven)|p[.\s/]{1,2}venous|menjingmai(?:qi)?|menmai(?:qi)?"
        ),
        "portal",
        "high",
    ),
    Word(re.compile("门(?:静)?脉期?"), "portal", "high"),
    Word(whole(r"(?:portal|portale)(?![\s_-]*(?:vein|vene|hypert\w*|throm\w*))"), "portal", "high"),
    Word(whole(r"early[\s._-]*delay(?:ed)?(?:[\s._-]*phase)?"), "delayed", "medium"),
    Word(whole(r"pvp|pvph|pv|p[./]v\.?"), "portal", "medium"),
    Word(whole(r"port"), "portal", "low"),
    Word(
        whole(r"venous|venos(?:e[nrs]?|a|o)?|venoes(?:e[nrs]?)?|vein(?:eux|euse)|ven|jingmaiqi"),
        "portal",
        "medium",
    ),
    Word(re.compile("静脉期?"), "portal", "medium"),
    Word(
        whole(r"hepato[\s-]*biliar(?:y|e|ire)|hepatocyt(?:e|ic|aire)|hepato[\s-]*specific|hbp"),
        "hbp",
        "high",
    ),
    Word(whole(r"gandanqi"), "hbp", "high"),
    Word(re.compile("肝胆(?:特异)?期?"), "hbp", "high"),
    Word(
        whole(
            r"delayed|equilibrium|gleichgewicht(?:sphase)?|verzogert|verzoegert|spatphase|"
            r"spaetphase|tardi(?:f|ve|a|o|va|vo)|retard|yanchi(?:qi)?|pingheng(?:qi)?"
        ),
        "delayed",
        "high",
    ),
    Word(re.compile("(?:延迟|平衡)期?"), "delayed", "high"),
    Word(whole(r"delays?|del(?=\.?\s*(?:$|\d|phase))|spat|spaet|equil?"), "delayed", "medium"),
    Word(whole(r"late|dp|ep"), "delayed", "low"),
    Word(
        whole(
            rf"(?:non?|ohne|sans|sin|senza|without|pre)[\s._-]*{_CONTRAST}|unenhanced|nonenhanced"
            r"|noncon|noncontrast|nect|nati[vf]e?|nativphase|pingsao"
        ),
        "native",
        "high",
    ),
    Word(re.compile("平扫"), "native", "high"),
    Word(re.compile(r"(?<![a-z0-9/+\-.])c-(?![a-z0-9/-])(?!\s*a\b)"), "native", "high"),
    Word(whole(rf"pre{_NOT_TREATMENT}"), "native", "medium"),
    Word(whole(rf"(?:w/o|wo|without){_NOT_FAT}|plain|km[\s-]*frei"), "native", "medium"),
    Word(whole(r"dry|nc"), "native", "low"),
)
"""Contrast phases of CT and of dynamic MR."""

SEQUENCE_WORDS: tuple[Word, ...] = (
    Word(whole(r"adc|apparent[\s_-]*diffusion(?:[\s_-]*coefficient)?"), "adc", "high"),
    Word(
        whole(
            r"dwi|dw|diff|diffusion|tracew?|b[\s_-]?value[\s_]?\d{1,4}"
            r"|b=?[\s_]?(?:50|100|400|500|600|800|900|1000)"
        ),
        "dwi",
        "high",
    ),
    Word(whole(r"t2(?![\s_]*(?:\*|star))(?:w|wi)?"), "t2", "high"),
    Word(whole(r"haste|ssfse|frfse"), "t2", "medium"),
)
"""Sequences of MR that are read as such, whether before or after contrast."""

T1_WORDS: tuple[Word, ...] = (
    Word(whole(r"t1(?:w|wi)?|t-1"), "t1", "medium"),
    Word(whole(r"vibe|e?-?thrive|lava(?:3d)?|f?spgr"), "t1", "low"),
)
"""T1-weighted sequences of MR that name no contrast phase."""

NOT_FOR_ANALYSIS = whole(
    r"localizers?|localisers?|loc|3plane|scouts?|scanogram|surview|survey|topograms?|topo|"
    r"(?:pre[\s_-]*)?monitoring|smart[\s_-]*prep|care[\s_-]*bolus|(?:test|timing)[\s_-]*bolus|"
    r"timing|calibration|asset[\s_-]*cal|summary|dose[\s_-]*report|realtime"
)
"""Series that serve planning and bolus timing."""

DERIVED = whole(r"subtract(?:ion)?|s?sub(?![a-z])|mips?|mip[\s_-]*range")
"""Images computed from others: subtractions and projections."""

WITH_AND_WITHOUT = whole(
    r"w/?\s*(?:&|\+|and)?\s*w/?o|w/wo|wo\s*(?:/|&|\+|and)?\s*w|w/o\s*(?:/|&|\+|and)\s*w"
    r"|without\s*(?:/|&|\+|and)\s*with|with\s*(?:/|&|\+|and)\s*without"
    r"|pre\s*(?:&|\+|and|-|/)\s*post"
)
"""Before and after contrast in one series, or a protocol that has both."""

SEVERAL_PHASES = whole(
    r"[2-5]\s*-?\s*phas(?:e|es|ic)|bi-?phas(?:e|es|ic)|tri-?phas(?:e|es|ic)|multi-?phas(?:e|es|ic)"
    r"|dual[\s-]*phase|quad-?phas(?:e|ic)|dynamic|dyn"
)
"""Names of protocols that have several phases."""

ENHANCED = re.compile(
    r"(?:(?<![a-z0-9])(?:post|c\s?\+|ce|w/c|with\s(?:non-?ionic\s|iv\s)?cont?(?:rast)?|enhanced|gad|gd|avec"
    r"|mit\s?km)|\+\s?c)(?![a-z0-9])"
)
"""Words that say after contrast, but not in which phase."""


LONGEST_TEXT = 256
"""Characters of a description that are read; the standard allows 64 (PS3.5 table 6.2-1, LO)."""


def normalise(text: str) -> str:
    """Return a text in small letters, without accents, with ``VenousPhase`` taken apart."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text[:LONGEST_TEXT])
    decomposed = unicodedata.normalize("NFKD", apart)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).lower()


def find_mentions(text: str, words: Iterable[Word]) -> Iterator[Mention]:
    """Yield what a normalised text names, longer phrases first, each word once."""
    for word in words:
        for match in word.pattern.finditer(text):
            yield Mention(word.phase, word.strength, match.group().strip())
        text = word.pattern.sub(" \N{SECTION SIGN} ", text)


def strongest(mentions: Sequence[Mention]) -> Mention:
    """Return the surest of several mentions of one phase."""
    order: tuple[Strength, ...] = ("high", "medium", "low")
    return min(mentions, key=lambda mention: order.index(mention.strength))
