"""The texture classes of one discretised image; what two classes share is counted once."""

from collections.abc import Iterator, Mapping

from pipeline.features.fast.cooccurrence_runs import count_cooccurrences_and_runs
from pipeline.features.fast.glcm import compute_glcm
from pipeline.features.fast.gldm import compute_gldm
from pipeline.features.fast.glrlm import compute_glrlm
from pipeline.features.fast.glszm import compute_glszm
from pipeline.features.fast.grey_levels import GreyLevels
from pipeline.features.fast.neighbourhood import count_neighbourhoods
from pipeline.features.fast.ngtdm import compute_ngtdm
from pipeline.features.fast.texture_settings import TextureSettings

Classes = Mapping[str, tuple[str, ...]]
"""Feature classes asked for, each with the features chosen, none for all."""


def compute_textures(
    levels: GreyLevels, settings: TextureSettings, classes: Classes
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the features of each texture class that is asked for, with the name of the class.

    Raises
    ------
    CaseError
        If the region cannot be counted with these settings.
    """
    yield from _directional(levels, settings, classes)
    yield from _of_neighbourhoods(levels, settings, classes)
    if "glszm" in classes:
        yield "glszm", compute_glszm(levels, settings)


def _directional(
    levels: GreyLevels, settings: TextureSettings, classes: Classes
) -> Iterator[tuple[str, dict[str, float]]]:
    glcm, glrlm = "glcm" in classes, "glrlm" in classes
    if not (glcm or glrlm):
        return
    matrices = count_cooccurrences_and_runs(levels, settings, glcm, glrlm)
    if glcm:
        wanted = frozenset(classes["glcm"]) or None
        yield "glcm", compute_glcm(matrices, levels, wanted)
    if glrlm:
        yield "glrlm", compute_glrlm(matrices, levels)


def _of_neighbourhoods(
    levels: GreyLevels, settings: TextureSettings, classes: Classes
) -> Iterator[tuple[str, dict[str, float]]]:
    gldm, ngtdm = "gldm" in classes, "ngtdm" in classes
    if not (gldm or ngtdm):
        return
    neighbourhoods = count_neighbourhoods(levels, settings, gldm, ngtdm)
    if gldm:
        yield "gldm", compute_gldm(neighbourhoods)
    if ngtdm:
        yield "ngtdm", compute_ngtdm(neighbourhoods)
