"""Slices hang as radiologists hang them, whatever the stored axes; outlines lie where masks do."""

import base64
import io
import re

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk
from PIL import Image

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.report.three_planes import (
    MOST_POINTS,
    PANEL_PIXELS,
    Panel,
    draw_three_planes,
    find_centre,
    trace_outline,
)

Grey = npt.NDArray[np.uint8]

# x towards the left, y towards the back, z towards the head: 80 x 60 x 100 mm in voxels of 2 mm.
SHAPE_ZYX = (50, 30, 40)
MARKS = {
    "L": (slice(20, 30), slice(10, 20), slice(34, 40)),
    "A": (slice(20, 30), slice(0, 6), slice(15, 25)),
    "H": (slice(44, 50), slice(10, 20), slice(15, 25)),
}
LESION = (slice(22, 28), slice(12, 18), slice(17, 23))


def phantom(orientation: str, tilt_degrees: float) -> tuple[Scan, Region]:
    voxels = np.full(SHAPE_ZYX, -100, np.int16)
    for box in MARKS.values():
        voxels[box] = 300
    mask = np.zeros(SHAPE_ZYX, np.uint8)
    mask[LESION] = 1
    cosine, sine = np.cos(np.radians(tilt_degrees)), np.sin(np.radians(tilt_degrees))
    images = []
    for array in (voxels, mask):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((2, 2, 2))
        image.SetDirection((cosine, -sine, 0, sine, cosine, 0, 0, 0, 1))
        images.append(sitk.DICOMOrient(image, orientation))
    stored, stored_mask = images
    grid = Geometry(
        stored.GetSize(), stored.GetSpacing(), stored.GetOrigin(), stored.GetDirection()
    )
    scan = Scan(sitk.GetArrayFromImage(stored), grid, Modality.CT)
    return scan, Region(sitk.GetArrayFromImage(stored_mask) > 0, grid, "tumour")


def grey(panel: Panel) -> Grey:
    content = base64.b64decode(panel.picture.removeprefix("data:image/jpeg;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)))


def bright_edges(picture: Grey) -> str:
    """Name the edges whose middle is white: l, r, t, b."""
    height, width = picture.shape
    row, column = height // 2, width // 2
    edges = {
        "l": picture[row, 3],
        "r": picture[row, width - 4],
        "t": picture[3, column],
        "b": picture[height - 4, column],
    }
    return "".join(name for name, value in edges.items() if value > 200)


@pytest.mark.parametrize("tilt", [0, 12])
@pytest.mark.parametrize("orientation", ["LPS", "RAS", "PIR", "SAL", "ILP"])
def test_left_front_and_head_are_where_a_radiologist_expects_them(
    orientation: str, tilt: float
) -> None:
    scan, tumour = phantom(orientation, tilt)
    axial, coronal, sagittal, detail = draw_three_planes(scan, {"tumour": tumour})
    assert [axial.name, coronal.name, sagittal.name] == ["axial", "coronal", "sagittal"]
    assert bright_edges(grey(axial)) == "rt"  # left mark right, front mark on top
    assert bright_edges(grey(coronal)) == "rt"  # left mark right, head mark on top
    assert bright_edges(grey(sagittal)) == "lt"  # front mark left, head mark on top
    assert axial.marks == detail.marks == ("R", "L", "A", "P")
    assert coronal.marks == ("R", "L", "H", "F")
    assert sagittal.marks == ("A", "P", "H", "F")


def test_a_picture_does_not_depend_on_the_stored_axes() -> None:
    straight, tumour = phantom("LPS", 0)
    turned, turned_tumour = phantom("PIR", 0)
    assert draw_three_planes(straight, {"tumour": tumour}) == draw_three_planes(
        turned, {"tumour": turned_tumour}
    )


def test_millimetres_are_alike_in_both_directions() -> None:
    scan, tumour = phantom("LPS", 0)
    thick = Geometry((40, 30, 50), (2.0, 2.0, 4.0), (0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    panels = draw_three_planes(
        Scan(scan.voxels, thick, Modality.CT), {"tumour": Region(tumour.inside, thick, "tumour")}
    )
    # 80 x 60 mm, 80 x 200 mm, 60 x 200 mm
    assert [(p.width, p.height) for p in panels[:3]] == [(320, 240), (128, 320), (96, 320)]
    assert [(p.left, p.top) for p in panels[:3]] == [(0, 40), (96, 0), (112, 0)]
    # The lesion of 12 x 12 mm and 15 mm, which is 8 voxels of 2 mm, on each side.
    assert (panels[3].width, panels[3].height) == (320, 320)


def test_outline_lies_on_the_edges_of_the_voxels() -> None:
    mask = np.zeros((5, 8), bool)
    mask[1:3, 2:6] = True
    path = trace_outline(mask, left=100, top=50, width=80, height=100)
    numbers = np.array(re.findall(r"[\d.]+", path), float).reshape(-1, 2)
    # Columns 2 to 5 of 10 pixels, rows 1 and 2 of 20.
    assert numbers.min(axis=0).tolist() == [120, 70]
    assert numbers.max(axis=0).tolist() == [160, 110]
    assert path.startswith("M")
    assert path.endswith("Z")


def test_outline_of_a_mask_that_fills_the_slice_is_its_edge() -> None:
    numbers = re.findall(r"[\d.]+", trace_outline(np.ones((4, 4), bool), 0, 0, 40, 40))
    assert {float(number) for number in numbers} >= {0.0, 40.0}


def test_a_mask_of_noise_cannot_blow_up_the_page() -> None:
    noise = np.indices((600, 600)).sum(axis=0) % 2 == 0
    assert trace_outline(noise, 0, 0, 320, 320).count(" ") <= MOST_POINTS
    assert trace_outline(np.zeros((3, 3), bool), 0, 0, 30, 30) == ""


def test_centre_is_a_voxel_of_the_largest_piece() -> None:
    mask = np.zeros((9, 20, 20), bool)
    mask[0, 0, 0] = True
    mask[4, 5:14, 5:14] = True
    mask[4, 7:12, 7:12] = False  # a ring, whose centroid is not in it
    centre = find_centre(mask)
    assert centre is not None
    assert mask[centre]
    assert centre[0] == 4
    assert find_centre(np.zeros((2, 2, 2), bool)) is None


def test_without_a_lesion_the_middle_is_shown() -> None:
    scan, tumour = phantom("LPS", 0)
    panels = draw_three_planes(scan, {})
    assert [(panel.name, panel.outlines) for panel in panels] == [
        ("axial", ()),
        ("coronal", ()),
        ("sagittal", ()),
    ]
    empty = Region(np.zeros_like(tumour.inside), tumour.geometry, "tumour")
    assert draw_three_planes(scan, {"tumour": empty}) == panels


def test_windows() -> None:
    scan, _ = phantom("LPS", 0)
    ramp = np.broadcast_to(np.linspace(-60, 240, 40), SHAPE_ZYX)
    middle = PANEL_PIXELS // 2
    ct = draw_three_planes(Scan(ramp, scan.geometry, Modality.CT), {})[0]
    assert grey(ct)[100, middle] == pytest.approx(127, abs=4)
    # The percentiles of a ramp lie at its ends, whatever its unit.
    mr = draw_three_planes(Scan(ramp * 7 + 1000, scan.geometry, Modality.MR), {})[0]
    assert grey(mr)[100, middle] == pytest.approx(127, abs=6)


def test_a_constant_image_is_drawn() -> None:
    scan, _ = phantom("LPS", 0)
    flat = Scan(np.zeros_like(scan.voxels), scan.geometry, Modality.MR)
    assert grey(draw_three_planes(flat, {})[0]).max() == 0
