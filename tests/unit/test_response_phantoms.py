"""Spheres and ellipsoids with a necrotic core, on several grids, against closed forms.

Bounds. A voxel belongs to a body where its centre does, and no point of a voxel is farther than
half its diagonal ``h`` from its centre. So the drawn body holds the body eroded by ``h`` and lies
in the body dilated by ``h``. In a slice the same holds with half the diagonal of its face.
"""

from dataclasses import dataclass
from math import hypot, pi, sqrt

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.response.categories import MRECIST, RECIST_1_1, VRECIST, Category, categorise
from pipeline.response.enhancement import Reference
from pipeline.response.measured import Missing
from pipeline.response.qeasl import (
    EnhancingPart,
    compute_enhancement_curve,
    measure_arterial_necrosis_fraction,
    measure_gain_necrosis_fraction,
    measure_qeasl,
    subtract_native,
)
from pipeline.response.size import compute_longest_axial_diameter_mm, compute_volume_ml
from pipeline.response.viable_cluster import (
    compute_maximum_3d_diameter_mm,
    find_largest_cluster,
)
from pipeline.response.viable_diameter import ViableDiameters, measure_viable_diameters

Spacing = tuple[float, float, float]
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SPACINGS: list[Spacing] = [(1.0, 1.0, 1.0), (0.7, 0.7, 2.5), (0.7, 0.7, 5.0), (1.3, 0.9, 3.0)]
OUTER_MM, CORE_MM = 30.0, 15.0
NATIVE_HU, GAIN_HU = 50, 60


@dataclass(frozen=True)
class Grid:
    """A grid around the origin, off the voxel centres, and the distances that bound its errors."""

    spacing_mm: Spacing
    half_extent_mm: float = 42.0

    @property
    def geometry(self) -> Geometry:
        sizes = [int(2 * self.half_extent_mm / spacing) for spacing in self.spacing_mm]
        return Geometry((sizes[0], sizes[1], sizes[2]), self.spacing_mm, (0.0, 0.0, 0.0), AXIAL)

    @property
    def half_diagonal_mm(self) -> float:
        return sqrt(sum(spacing**2 for spacing in self.spacing_mm)) / 2

    @property
    def half_face_mm(self) -> float:
        return hypot(*self.spacing_mm[:2]) / 2

    def scaled_square(self, radii_mm: Spacing) -> npt.NDArray[np.float64]:
        """Square distance from the centre in units of the radii, shape (z, y, x)."""
        x, y, z = (
            ((np.arange(size) - size / 2 + 0.3) * spacing / radius) ** 2
            for size, spacing, radius in zip(
                self.geometry.size, self.spacing_mm, radii_mm, strict=True
            )
        )
        return np.asarray(z[:, None, None] + y[None, :, None] + x[None, None, :])

    def ball(self, radius_mm: float) -> npt.NDArray[np.bool_]:
        return self.scaled_square((radius_mm,) * 3) <= 1

    def region(self, inside: npt.NDArray[np.bool_], name: str = "tumour") -> Region:
        return Region(inside, self.geometry, name)

    def shell(self) -> Region:
        return self.region(self.ball(OUTER_MM) & ~self.ball(CORE_MM), "viable")


@pytest.fixture(params=SPACINGS, ids=lambda spacing: "x".join(map(str, spacing)))
def grid(request: pytest.FixtureRequest) -> Grid:
    return Grid(request.param)


def ball_ml(radius_mm: float) -> float:
    return 4 / 3 * pi * radius_mm**3 / 1000


def test_volume_of_a_sphere(grid: Grid) -> None:
    h = grid.half_diagonal_mm
    volume_ml = compute_volume_ml(grid.region(grid.ball(OUTER_MM)))
    assert ball_ml(OUTER_MM - h) <= volume_ml <= ball_ml(OUTER_MM + h)
    assert volume_ml == pytest.approx(ball_ml(OUTER_MM), rel=0.01)  # errors of voxels cancel


def test_volume_of_an_ellipsoid(grid: Grid) -> None:
    radii_mm = (36.0, 24.0, 18.0)
    lesion = grid.region(grid.scaled_square(radii_mm) <= 1)
    exact_ml = 4 / 3 * pi * np.prod(radii_mm) / 1000
    # A ball of radius h fits into the ellipsoid scaled by h over its least radius.
    share = grid.half_diagonal_mm / min(radii_mm)
    assert exact_ml * (1 - share) ** 3 <= compute_volume_ml(lesion) <= exact_ml * (1 + share) ** 3
    assert compute_volume_ml(lesion) == pytest.approx(exact_ml, rel=0.01)


def test_recist_diameter_of_an_ellipsoid(grid: Grid) -> None:
    longest_mm = compute_longest_axial_diameter_mm(
        grid.region(grid.scaled_square((36.0, 24.0, 18.0)) <= 1)
    )
    middle = sqrt(1 - (grid.spacing_mm[2] / 2 / 18) ** 2)  # the nearest slice may miss the middle
    assert 72 * middle - 4 * grid.half_face_mm <= longest_mm
    assert longest_mm <= 72 + max(grid.spacing_mm[:2])


def test_mrecist_and_easl_of_a_shell(grid: Grid) -> None:
    """The longest line in a shell touches the core: 2 sqrt(R^2 - r^2), on every slice through it.

    Its upper bound is that line in the dilated shell. Its ends are midpoints of edges, which lie
    within half a face's diagonal and half an edge of the ideal ends, so the lower bound is the line
    in the shell eroded by that as well.
    """
    found = measure_viable_diameters(grid.shell())
    assert isinstance(found, ViableDiameters)
    h = grid.half_face_mm
    moved = h + max(grid.spacing_mm[:2]) / 2
    most = 2 * sqrt((OUTER_MM + h) ** 2 - (CORE_MM - h) ** 2)
    least = 2 * sqrt((OUTER_MM - moved) ** 2 - (CORE_MM + h + moved) ** 2)
    exact = 2 * sqrt(OUTER_MM**2 - CORE_MM**2)
    assert least <= found.mrecist_mm <= most
    assert found.mrecist_mm == pytest.approx(exact, abs=2 * max(grid.spacing_mm[:2]))
    # Across it, beside the core, lies a line as long.
    quarter = min(grid.spacing_mm[:2]) / 4
    assert least - quarter <= found.across_mm <= most + quarter
    assert found.easl_mm2 == pytest.approx(exact**2, rel=0.05)
    assert found.mrecist_mm <= compute_longest_axial_diameter_mm(grid.shell())


def test_greatest_extent_of_a_shell_in_space(grid: Grid) -> None:
    diameter_mm = compute_maximum_3d_diameter_mm(grid.shell())
    h = grid.half_diagonal_mm
    # A centre lies within 2 h of each pole; faces lie half an edge beyond centres, those inside.
    assert 2 * OUTER_MM - 4 * h <= diameter_mm <= 2 * OUTER_MM + max(grid.spacing_mm)


def test_the_largest_of_two_pieces(grid: Grid) -> None:
    two = grid.ball(12.0).copy()
    two[:2, :2, :2] = True
    largest = find_largest_cluster(grid.region(two, "viable"))
    assert np.array_equal(largest.inside, grid.ball(12.0))
    assert not find_largest_cluster(grid.region(np.zeros_like(two))).inside.any()


def test_pieces_that_touch_at_a_corner_are_one(grid: Grid) -> None:
    touching = np.zeros(grid.geometry.shape_zyx, dtype=bool)
    touching[2, 2, 2] = touching[3, 3, 3] = True
    touching[6, 6, 6] = True
    largest = find_largest_cluster(grid.region(touching, "viable"))
    assert np.argwhere(largest.inside).tolist() == [[2, 2, 2], [3, 3, 3]]


def test_diameter_in_space_of_a_box() -> None:
    inside = np.zeros((6, 7, 8), dtype=bool)
    inside[1:4, 2:6, 1:6] = True  # 3 x 4 x 5 voxels of 5 x 3 x 2 mm
    geometry = Geometry((8, 7, 6), (2.0, 3.0, 5.0), (0.0, 0.0, 0.0), AXIAL)
    # From bottom to top face over 3 rows and 4 columns; the sides give less.
    exact = sqrt((4 * 2) ** 2 + (3 * 3) ** 2 + (3 * 5) ** 2)
    assert compute_maximum_3d_diameter_mm(Region(inside, geometry, "box")) == pytest.approx(exact)


def phases(grid: Grid) -> Scan:
    """Subtraction of a tumour whose shell gains 60 HU and whose core gains nothing."""
    native = np.full(grid.geometry.shape_zyx, NATIVE_HU, dtype=np.int16)
    arterial = native + np.where(grid.shell().inside, GAIN_HU, 0).astype(np.int16)
    return subtract_native(
        Scan(arterial, grid.geometry, Modality.CT), Scan(native, grid.geometry, Modality.CT)
    )


@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_enhancing_volume_and_necrosis_of_a_shell(grid: Grid, factor: float) -> None:
    tumour = grid.region(grid.ball(OUTER_MM))
    part = measure_qeasl(phases(grid), tumour, Reference(10, 5), factor)
    assert isinstance(part, EnhancingPart)
    core = (CORE_MM / OUTER_MM) ** 3  # 1/8
    h = grid.half_diagonal_mm
    least = ((CORE_MM - h) / (OUTER_MM + h)) ** 3
    most = ((CORE_MM + h) / (OUTER_MM - h)) ** 3
    assert least <= part.necrosis_fraction <= most
    assert part.necrosis_fraction == pytest.approx(core, abs=0.005)
    assert part.volume_ml == pytest.approx(ball_ml(OUTER_MM) - ball_ml(CORE_MM), rel=0.015)


def test_necrosis_of_an_ellipsoid_by_gain_and_by_attenuation(grid: Grid) -> None:
    """A core of half the radii is an eighth; it gains nothing, and is dark.

    The bodies hold, and lie in, themselves scaled by the half diagonal over their least radius.
    """
    outer, core = (36.0, 24.0, 18.0), (18.0, 12.0, 9.0)
    inside, dead = (grid.scaled_square(radii) <= 1 for radii in (outer, core))
    gain = Scan(np.where(inside & ~dead, GAIN_HU, 0.0), grid.geometry, Modality.CT)
    arterial = Scan(np.where(dead, 20.0, 110.0), grid.geometry, Modality.CT)
    tumour = grid.region(inside)
    h = grid.half_diagonal_mm
    least = ((1 - h / min(core)) / (1 + h / min(outer))) ** 3 / 8
    most = ((1 + h / min(core)) / (1 - h / min(outer))) ** 3 / 8
    for fraction in (
        measure_gain_necrosis_fraction(gain, tumour, below_hu=15),
        measure_arterial_necrosis_fraction(arterial, tumour),
    ):
        assert isinstance(fraction, float)
        assert least <= fraction <= most
        assert fraction == pytest.approx(1 / 8, abs=0.005)


def test_the_curve_steps_where_the_gain_is_reached(grid: Grid) -> None:
    tumour = grid.region(grid.ball(OUTER_MM))
    curve = compute_enhancement_curve(phases(grid), tumour, Reference(10, 5), (-3, -2, 0, 9.9, 10))
    assert not isinstance(curve, Missing)
    # Thresholds -5, 0, 10, 59.5 and 60 HU; voxels at the threshold do not enhance.
    assert curve == pytest.approx([100, 87.5, 87.5, 87.5, 0], abs=0.5)
    for factor, percent in zip((-3, -2, 0, 9.9, 10), curve, strict=True):
        part = measure_qeasl(phases(grid), tumour, Reference(10, 5), factor)
        assert isinstance(part, EnhancingPart)
        assert part.percent == pytest.approx(percent, abs=1e-9)


def test_a_tumour_that_shrinks_and_dies_is_classified(grid: Grid) -> None:
    """From 60 mm solid to 48 mm with a core of 40 mm: -20 % of size, -56 % of viable diameter."""
    before = grid.region(grid.ball(30.0))
    after = grid.region(grid.ball(24.0))
    shell = measure_viable_diameters(grid.region(after.inside & ~grid.ball(20.0), "viable"))
    solid = measure_viable_diameters(before)
    assert isinstance(shell, ViableDiameters)
    assert isinstance(solid, ViableDiameters)
    first_mm, second_mm = (compute_longest_axial_diameter_mm(lesion) for lesion in (before, after))
    assert categorise(RECIST_1_1, first_mm, second_mm) is Category.SD
    assert categorise(MRECIST, solid.mrecist_mm, shell.mrecist_mm) is Category.PR
    first_ml, second_ml = (compute_volume_ml(lesion) for lesion in (before, after))
    assert second_ml / first_ml == pytest.approx(0.8**3, rel=0.01)
    assert categorise(VRECIST, first_ml, second_ml) is Category.SD  # -49 %
