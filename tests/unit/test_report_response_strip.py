"""Pictures of a strip: physical shape, scale, places of lines, colours."""

import base64
import io
from math import nan

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pipeline.domain.geometry import Geometry
from pipeline.domain.scan import Modality, Region, Scan
from pipeline.report.response_strip import (
    Base,
    Frame,
    Layer,
    compose,
    draw_gain,
    draw_grey,
    gradient_css,
    largest_slice,
)
from pipeline.report.three_planes import PANEL_PIXELS
from pipeline.response.diameter import Diameter

# 40 columns of 1 mm by 20 rows of 4 mm: 40 x 80 mm.
GRID = Geometry((40, 20, 3), (1.0, 4.0, 5.0), (0.0, 0.0, -100.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def picture_of(base: Base) -> npt.NDArray[np.float64]:
    kind, _, content = base.address.partition(",")
    assert kind == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))), dtype=float)


def scan(value: float, modality: Modality = Modality.CT) -> Scan:
    return Scan(np.full(GRID.shape_zyx, value), GRID, modality)


def everything() -> Region:
    return Region(np.ones(GRID.shape_zyx, dtype=bool), GRID, "tumour")


def test_slice_keeps_its_physical_shape_and_place() -> None:
    frame = Frame(GRID, 1)
    left, top, width, height = frame.place
    assert (width, height) == (PANEL_PIXELS // 2, PANEL_PIXELS)
    assert (left, top) == (PANEL_PIXELS // 4, 0)
    assert frame.z_mm == -95


def test_scale_bar_is_as_long_as_it_says() -> None:
    length_mm, pixels = Frame(GRID, 0).scale_bar
    assert length_mm == 20  # a third of 80 mm is 26.7
    assert pixels == pytest.approx(20 * PANEL_PIXELS / 80)


def test_diameter_lies_on_its_voxels_and_tells_its_length() -> None:
    line = Frame(GRID, 1).line("recist", Diameter(24.0, 1, (30.0, 9.5), (-0.5, 9.5)))
    # Columns are 4 pixels wide; the border of the first is the picture's, rows are 16 pixels.
    left = PANEL_PIXELS / 4
    assert line.start == pytest.approx((left, 10 * 16))
    assert line.end == pytest.approx((left + 30.5 * 4, 10 * 16))
    assert line.label == "24.0 mm"
    assert line.label_at[0] > line.end[0]


def test_label_stays_within_the_panel() -> None:
    line = Frame(GRID, 1).line("recist", Diameter(80.0, 1, (20.0, -0.5), (20.0, 19.5)))
    assert 0 < line.label_at[1] < PANEL_PIXELS


@pytest.mark.parametrize(("value", "grey"), [(-60, 0), (90, 128), (240, 255), (nan, 0)])
def test_grey_follows_the_window(value: float, grey: int) -> None:
    base = draw_grey(scan(value), Frame(GRID, 0), (-60.0, 240.0))
    assert picture_of(base) == pytest.approx(grey, abs=2)
    assert base.scale_text == "CT window -60 to 240 HU"


@pytest.mark.parametrize(
    ("gain", "colour"),
    [
        (0, (255, 255, 255)),
        (100, (213, 94, 0)),
        (50, (234, 174.5, 127.5)),
        (-250, (0, 114, 178)),
        (nan, (0, 0, 0)),
    ],
)
def test_gain_is_drawn_around_zero(gain: float, colour: tuple[float, ...]) -> None:
    base = draw_gain(scan(gain), everything(), Frame(GRID, 0))
    assert picture_of(base).mean(axis=(0, 1)) == pytest.approx(colour, abs=3)
    assert base.limits == ("-100 HU", "+100 HU")


def test_map_of_mr_ends_at_what_the_tumour_gains() -> None:
    gain = scan(0.0, Modality.MR)
    gain.voxels[:, :, 20:] = 5000.0  # a vessel beside the tumour does not count
    gain.voxels[:, :, :20] = -1234.0
    tumour = everything()
    tumour.inside[:, :, 20:] = False
    base = draw_gain(gain, tumour, Frame(GRID, 0))
    assert base.limits == ("-1234 a.u.", "+1234 a.u.")


def test_colours_of_the_legend_are_those_of_the_map() -> None:
    assert gradient_css() == (
        "linear-gradient(to right, rgb(0, 114, 178), rgb(255, 255, 255), rgb(213, 94, 0))"
    )


def test_region_that_the_slice_does_not_cut_is_in_no_legend() -> None:
    elsewhere = everything()
    elsewhere.inside[0] = False
    layers = [Layer("tumour", "tumour", everything()), Layer("viable", "viable", elsewhere)]
    picture = compose("t", draw_grey(scan(0), Frame(GRID, 0), (0.0, 1.0)), layers, "note")
    assert picture.legend == (("tumour", "tumour"),)
    assert [shape.kind for shape in picture.shapes] == ["tumour"]
    assert picture.caption == "note; axial slice at z -100.0 mm; CT window 0 to 1 HU"


def test_of_slices_of_one_area_the_first_is_drawn() -> None:
    inside = np.zeros(GRID.shape_zyx, dtype=bool)
    inside[1:, 3, 4:6] = True
    assert largest_slice(Region(inside, GRID, "tumour")) == 1
