"""Shape features equal closed forms of boxes, and PyRadiomics on awkward regions."""

from math import hypot, isnan, nan, sqrt

import numpy as np
import numpy.typing as npt
import pytest
from radiomics import cShape
from radiomics.featureextractor import RadiomicsFeatureExtractor
from shape_reference import Mask, Spacing, cut_to_box, images, reference_shape

from pipeline.features.fast.marching_cubes import CORNERS
from pipeline.features.fast.mesh import measure_mesh
from pipeline.features.fast.shape import compute_shape

ISOTROPIC = (1.0, 1.0, 1.0)
ANISOTROPIC = (0.8, 1.3, 2.5)


def region(shape: tuple[int, int, int], *voxels: tuple[int, int, int]) -> Mask:
    inside = np.zeros(shape, dtype=bool)
    inside[tuple(np.array(voxels).T)] = True
    return inside


def ball(radius: float) -> Mask:
    reach = int(radius) + 1
    z, y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1, -reach : reach + 1]
    return cut_to_box(z * z + y * y + x * x <= radius * radius)


def shell() -> Mask:
    inside = ball(5.2)
    inside[3:8, 4:8, 4:7] = False
    return inside


def diagonal_plane() -> Mask:
    z, y, x = np.indices((7, 7, 7))
    return np.asarray(z + y == x + 2)


def noise(shape: tuple[int, int, int], share: float) -> Mask:
    return cut_to_box(np.random.default_rng(7).random(shape) < share)


REGIONS = {
    "one voxel": region((1, 1, 1), (0, 0, 0)),
    "two voxels": region((1, 2, 1), (0, 0, 0), (0, 1, 0)),
    "two voxels that touch at a corner": region((2, 2, 2), (0, 0, 0), (1, 1, 1)),
    "two voxels far apart": region((9, 5, 3), (0, 4, 0), (8, 0, 2)),
    "line along z": np.ones((7, 1, 1), dtype=bool),
    "line along y": np.ones((1, 7, 1), dtype=bool),
    "line along x": np.ones((1, 1, 7), dtype=bool),
    "diagonal line": np.asarray(np.eye(6, dtype=bool)[None]),
    "slice": noise((1, 60, 50), 0.7),
    "plane of equal y": noise((11, 1, 9), 0.7),
    "plane of equal x": noise((11, 9, 1), 0.7),
    "diagonal plane": diagonal_plane(),
    "box": np.ones((4, 5, 6), dtype=bool),
    "ball": ball(9.3),
    "shell": shell(),
    "two balls": np.concatenate((ball(4.1), np.zeros((3, 9, 9), dtype=bool), ball(4.1))),
    "long rows": noise((3, 4, 150), 0.9),
    "open mesh": noise((6, 7, 8), 0.5),
    "scattered voxels": noise((12, 12, 12), 0.02),
}


@pytest.mark.parametrize("spacing_mm", [ISOTROPIC, ANISOTROPIC], ids=["isotropic", "anisotropic"])
@pytest.mark.parametrize("name", REGIONS)
def test_equals_pyradiomics(name: str, spacing_mm: Spacing) -> None:
    inside = REGIONS[name]

    features = compute_shape(inside, spacing_mm)

    assert features == pytest.approx(
        reference_shape(inside, spacing_mm), rel=1e-9, abs=0, nan_ok=True
    )


@pytest.mark.parametrize("spacing_zyx_mm", [ISOTROPIC, (3.0, 2.0, 1.0), (0.7, 1.3, 5.0)])
def test_every_cell_has_pyradiomics_triangles(spacing_zyx_mm: Spacing) -> None:
    for configuration in range(256):
        cell = np.zeros((2, 2, 2), dtype=np.uint8)
        cell[tuple(CORNERS.T)] = configuration >> np.arange(8) & 1

        measured = measure_mesh(cell, spacing_zyx_mm)

        area, volume, _ = cShape.calculate_coefficients(cell.astype(bool), np.array(spacing_zyx_mm))
        assert measured == pytest.approx((area, volume), rel=1e-12, abs=1e-14), configuration


@pytest.mark.parametrize("size_zyx", [(1, 1, 1), (1, 4, 7), (5, 3, 8)])
def test_box_equals_closed_forms(size_zyx: tuple[int, int, int]) -> None:
    """Its mesh is the box of the outer voxel centres grown by an octahedron of half a voxel."""
    sx, sy, sz = ANISOTROPIC
    a, b, c = np.array(size_zyx) - 1  # in voxels
    voxel, zy, zx, yx = sx * sy * sz, sz * sy, sz * sx, sy * sx

    features = compute_shape(np.ones(size_zyx, dtype=bool), ANISOTROPIC)

    volume = a * b * c + (a * b + a * c + b * c) + (a + b + c) / 2 + 1 / 6
    faces = 2 * (a * b * zy + a * c * zx + b * c * yx)
    edges = 2 * (a * sz * hypot(sy, sx) + b * sy * hypot(sz, sx) + c * sx * hypot(sz, sy))
    corners = sqrt(zy**2 + zx**2 + yx**2)
    assert features["MeshVolume"] == pytest.approx(volume * voxel, rel=1e-12)
    assert features["VoxelVolume"] == pytest.approx((a + 1) * (b + 1) * (c + 1) * voxel, rel=1e-12)
    assert features["SurfaceArea"] == pytest.approx(faces + edges + corners, rel=1e-12)
    assert features["Maximum2DDiameterSlice"] == pytest.approx(
        max(hypot((b + 1) * sy, c * sx), hypot(b * sy, (c + 1) * sx)), rel=1e-12
    )
    assert features["Maximum3DDiameter"] == pytest.approx(
        max(np.hypot.reduce((np.array((a, b, c)) + axis) * (sz, sy, sx)) for axis in np.eye(3)),
        rel=1e-12,
    )
    lengths = np.sort(4 * np.array((sz, sy, sx)) * np.sqrt((np.square(size_zyx) - 1) / 12))
    assert [
        features["LeastAxisLength"],
        features["MinorAxisLength"],
        features["MajorAxisLength"],
    ] == pytest.approx(lengths, rel=1e-12, abs=1e-12)


def test_one_voxel_has_no_elongation() -> None:
    features = compute_shape(region((1, 1, 1), (0, 0, 0)), ISOTROPIC)

    assert features["MeshVolume"] == pytest.approx(1 / 6)
    assert features["SurfaceArea"] == pytest.approx(sqrt(3))
    assert features["Maximum3DDiameter"] == 1
    assert features["MajorAxisLength"] == 0
    assert isnan(features["Elongation"])
    assert isnan(features["Flatness"])


def test_open_mesh_without_volume_has_no_ratios() -> None:
    inside = region((2, 4, 2), (0, 0, 1), (0, 3, 1), (1, 3, 0))

    features = compute_shape(inside, ISOTROPIC)

    assert features["MeshVolume"] == 0
    assert features["SurfaceVolumeRatio"] is nan
    assert features == pytest.approx(
        reference_shape(inside, ISOTROPIC), rel=1e-9, abs=1e-15, nan_ok=True
    )


def test_margins_change_nothing_and_agree_with_the_extractor() -> None:
    """The volume of an open mesh depends on the frame, which must be the extractor's."""
    inside = np.pad(REGIONS["open mesh"], ((2, 0), (1, 3), (4, 5)))
    extractor = RadiomicsFeatureExtractor(additionalInfo=False)
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName("shape")

    features = compute_shape(inside, ANISOTROPIC)

    assert features == compute_shape(REGIONS["open mesh"], ANISOTROPIC)
    expected = extractor.execute(*images(inside, ANISOTROPIC))
    assert len(expected) == 14
    for name, value in expected.items():
        feature = name.removeprefix("original_shape_")
        assert features[feature] == pytest.approx(float(value), rel=1e-9), name


def test_turning_the_region_turns_the_planes() -> None:
    """Closed mesh: only the names of the planar diameters depend on the axes."""
    inside = cut_to_box(ball(6.4)[:, 2:, 5:])
    planes = ["Maximum2DDiameterSlice", "Maximum2DDiameterColumn", "Maximum2DDiameterRow"]
    sx, sy, sz = ANISOTROPIC

    upright = compute_shape(inside, (sx, sy, sz))
    turned = compute_shape(inside.transpose(2, 0, 1), (sy, sz, sx))

    assert [turned[name] for name in planes] == pytest.approx(
        [upright[planes[2]], upright[planes[0]], upright[planes[1]]], rel=1e-12
    )
    for name in upright.keys() - planes:
        assert turned[name] == pytest.approx(upright[name], rel=1e-9), name


@pytest.mark.parametrize("shape", [(3, 4, 5), (0, 4, 5)])
def test_empty_region_is_refused(shape: tuple[int, int, int]) -> None:
    empty: npt.NDArray[np.bool_] = np.zeros(shape, dtype=bool)

    with pytest.raises(ValueError, match="a region without voxels has no bounding box"):
        compute_shape(empty, ISOTROPIC)
