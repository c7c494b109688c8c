"""Parts of a tumour that enhance alike: k-means on its phases.

Fitted on the tumours of training patients only and then applied to any tumour as it is, so that a
new patient's habitats mean what the training patients' do. Values must be comparable between
patients: relative to each patient's liver (:mod:`pipeline.imaging.habitat_voxels`). Published
habitat models of HCC use three clusters; the rest of the procedure is this project's.

The share of neighbouring voxels that differ in habitat, which is published too, is not measured: it
grows with the distance of the neighbours. That is set by voxel size and slice thickness, so that
the share, and its change between two scans, would tell the scanner's settings and not the tumour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.config.train import HabitatSettings
from pipeline.domain.errors import CaseError

STARTS = 10
"""Of k-means, which ends in a local optimum: the best is kept."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HabitatModel:
    """The centres of the habitats: plain data.

    Parameters
    ----------
    phases : tuple of str
        The axes of the centres, in order.
    centres : tuple of tuple of float
        One a habitat, ordered by the mean of their values: the first enhances least.
    """

    phases: tuple[str, ...]
    centres: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Habitats:
    """The habitats of one tumour.

    Parameters
    ----------
    fractions : tuple of float
        Share of the tumour, one a habitat.
    dispersion : float
        Root mean square distance of the voxels from their centre, in deviations of the liver.
    """

    fractions: tuple[float, ...]
    dispersion: float


def fit_habitats(
    tumours: Sequence[Values], phases: Sequence[str], settings: HabitatSettings
) -> HabitatModel:
    """Find the habitats of training tumours.

    Parameters
    ----------
    tumours : sequence of numpy.ndarray, each of shape (voxels, phases)
        From :func:`pipeline.imaging.habitat_voxels.stack_phases`, of training patients only.
    phases : sequence of str
        The names of the columns.
    settings : HabitatSettings
        How many habitats, from how many voxels of each tumour, and the seed of the voxels drawn and
        of the starts of k-means.

    Raises
    ------
    CaseError
        If the tumours have fewer different voxels than there are habitats.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    clusters, seed, most = settings.clusters, settings.seed, settings.voxels_a_tumour
    random = np.random.default_rng(seed)
    drawn = [_draw(tumour, most, random) for tumour in tumours]
    values = np.concatenate(drawn or [np.empty((0, 1))])
    found = len(np.unique(values, axis=0))
    if found < clusters:
        msg = f"habitats need at least {clusters} different voxels, got {found}. Give more tumours."
        raise CaseError(msg)
    with threadpool_limits(1):  # sums in another order would change the last bits
        fitted = KMeans(clusters, n_init=STARTS, random_state=seed).fit(values)
    centres = sorted(fitted.cluster_centers_.tolist(), key=lambda centre: (sum(centre), centre))
    return HabitatModel(tuple(phases), tuple(tuple(centre) for centre in centres))


def find_habitats(model: HabitatModel, values: Values) -> Habitats:
    """Assign each voxel of a tumour to the nearest habitat.

    Parameters
    ----------
    model : HabitatModel
        Of other patients, or of these if they trained it.
    values : numpy.ndarray, shape (voxels, phases)
        As :func:`fit_habitats` takes them, with the model's phases in its order.
    """
    centres = np.asarray(model.centres)
    distances = np.linalg.norm(values[:, None, :] - centres[None], axis=2)
    nearest = distances.argmin(axis=1)
    shares = np.bincount(nearest, minlength=len(centres)) / len(nearest)
    return Habitats(
        fractions=tuple(shares.tolist()),
        dispersion=float(np.sqrt((distances.min(axis=1) ** 2).mean())),
    )


def _draw(values: Values, most: int, random: np.random.Generator) -> Values:
    """Return some voxels of a tumour: large tumours must not set the habitats alone."""
    if len(values) <= most:
        return values
    return values[random.choice(len(values), most, replace=False)]
