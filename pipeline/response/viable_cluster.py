"""The largest piece of viable tumour: its volume and its longest extent in 3D."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from pipeline.domain.scan import Region


def find_largest_cluster(viable: Region) -> Region:
    """Return the largest connected part (26 neighbours); the first in z, y, x order on a tie.

    An empty region stays empty.
    """
    labels, _ = ndimage.label(viable.inside, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = int(sizes.argmax())
    inside = np.asarray(labels == largest) & viable.inside
    return Region(inside, viable.geometry, "largest_viable_cluster")


def compute_maximum_3d_diameter_mm(region: Region) -> float:
    """Return the greatest distance between two outer voxel faces of a region, in any direction.

    Measured between midpoints of faces, which is PyRadiomics' ``Maximum3DDiameter``; exact, by the
    convex hull (Feret's diameter). 0 for an empty region. The line may leave the region, as on a
    shell; see ``viable_diameter`` for the one that may not.
    """
    if not region.inside.any():
        return 0.0
    faces = np.concatenate([_outer_faces(region.inside, axis) for axis in range(3)])
    faces_mm = faces * region.geometry.spacing_mm[::-1]
    return float(pdist(faces_mm[ConvexHull(faces_mm).vertices]).max())


def _outer_faces(inside: npt.NDArray[np.bool_], axis: int) -> npt.NDArray[np.float64]:
    """Return midpoints of the first and last face of each line along an axis, shape (n, 3), z y x.

    Faces between them cannot be extreme.
    """
    lines = np.moveaxis(inside, axis, -1)
    across = np.argwhere(lines.any(axis=-1)).astype(np.float64)
    filled = lines[lines.any(axis=-1)]
    first = filled.argmax(axis=-1) - 0.5
    last = filled.shape[-1] - filled[:, ::-1].argmax(axis=-1) - 0.5
    return np.concatenate([np.insert(across, axis, along, axis=1) for along in (first, last)])
