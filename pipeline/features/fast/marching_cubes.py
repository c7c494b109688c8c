"""Triangles of every marching-cubes cell, as surface normals and volume terms.

A cell is a cube of eight neighbouring voxel centres; its configuration is the number whose bit k is
set where corner k lies in the region. Lorensen & Cline 1987, doi:10.1145/37401.37422. Corners and
edges are numbered, and cells cut into triangles, as in the table of C. G. Bloyd published by P.
Bourke, "Polygonising a scalar field" (1994), public domain. Like PyRadiomics, and unlike Bourke,
only the half without corner 7 is used: a cell with corner 7 inside has the triangles of its
complement, turned round. Where two diagonal corners of a face are inside, neighbouring cells can
therefore disagree and leave the mesh open.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Offsets z, y, x of the corners 0 to 7.
CORNERS = np.array(
    [(0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0)]
)
# The two corners of the edges 0 to 11.
EDGES = np.array(
    [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)]
)
# Configurations 0 to 127: three edges (hexadecimal) a triangle, whose middles are its vertices.
TABLE = """
- 083 019 183981 12a 08312a 92a029 2832a8a98
3b2 0b28b0 19023b 1b219b98b 3a1ba3 0a108a8ba 3903b9ba9 98aa8b
478 430734 019847 419471731 12a847 34730412a 92a902847 2a9297273794
8473b2 b47b24204 90184723b 47b94b9b2921 3a13ba784 1ba14b1047b4 47890b9bab03 47b4b99ba
954 954083 054150 854835315 12a954 30812a495 52a542402 2a5325354348
95423b 0b208b495 05401523b 21525828b485 a3ba13954 4950818a18ba 54050b5bab03 54858aa8b
978579 930953573 078017157 153357 978957a12 a12950530573 802825857a52 2a5253357
7957893b2 95797292027b 23b018178157 b21b17715 958857a13a3b 5705097b010aba0 ba0b03a50807570
ba57b5
a65 0835a6 9015a6 1831985a6 165261 165126308 965906026 598582526328
23ba65 b08b20a65 01923b5a6 5a61929b298b 63b653513 08b0b50515b6 3b6036065059 65969bb98
5a6478 430473a65 1905a6847 a65197173794 612651478 125526304347 847905065026 739794329596269
3b2784a65 5a647242027b 01947823b5a6 9219b294b7b45a6 8473b53515b6 51b5b610b7b404b 059065036b63847
65969b4797b9
a4964a 4a649a083 a01a60640 83181686461a 149124264 308129249264 024426 832824426
a49a64b23 08228b49a4a6 3b201606461a 64161a48121b8b1 964936913b63 8b1810b61914641 3b6360064
648b68
7a678a89a 0730a709a67a a671a7178180 a67a71173 126168189867 269291679093739 780706602 732672
23ba68a89867 20727b09767a9a7 1801781a767a23b b21b17a61671 896867916b63136 091b67 7807063b0b60
7b6
"""


class CellTriangles(NamedTuple):
    """The triangles of all configurations from 0 to 127, in voxel units, as whole numbers.

    A triangle a, b, c of a cell at p (index of its corner 0) adds det(p + a, p + b, p + c) / 6 to
    the volume (divergence theorem), which is (det(a, b, c) + p . ((b - a) x (c - a))) / 6.

    Parameters
    ----------
    configuration : numpy.ndarray of int64, shape (triangles,)
    normals_x4 : numpy.ndarray of int64, shape (triangles, 3), order z, y, x
        4 (b - a) x (c - a): outward, of eight times the area.
    determinants_x8 : numpy.ndarray of int64, shape (triangles,)
        8 det(a, b, c).
    """

    configuration: npt.NDArray[np.int64]
    normals_x4: npt.NDArray[np.int64]
    determinants_x8: npt.NDArray[np.int64]


def _cell_triangles() -> CellTriangles:
    """Work the table out, in doubled coordinates: the middle of an edge is the sum of its ends."""
    cells = [cell.replace("-", "") for cell in TABLE.split()]
    sizes = [len(cell) // 3 for cell in cells]
    edges = np.array([int(edge, 16) for edge in "".join(cells)])
    a, b, c = CORNERS[EDGES[edges.reshape(-1, 3)]].sum(axis=2).transpose(1, 0, 2)
    return CellTriangles(
        configuration=np.repeat(np.arange(len(sizes)), sizes),
        normals_x4=np.cross(b - a, c - a),
        determinants_x8=(a * np.cross(b, c)).sum(axis=1),
    )


CELL_TRIANGLES = _cell_triangles()
