"""No path of a table leads out of the cohort, hangs the check or ends it."""

import os
import socket
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.domain.cohort import ScanRow
from pipeline.domain.problem import Problem
from pipeline.domain.scan import Modality, Timepoint
from pipeline.ingest.path_checks import find_path_problems, find_shared_images, find_table_links

ROW = ScanRow(
    patient_id="P1",
    timepoint=Timepoint.PREOP,
    modality=Modality.CT,
    phase="portal",
    image="image.nii.gz",
    mask="mask.nii.gz",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "cohort"
    (folder / "series").mkdir(parents=True)
    for name in ("image.nii.gz", "mask.nii.gz", "series/1", "series/2"):
        (folder / name).write_bytes(b"x")
    (tmp_path / "outside.nii.gz").write_bytes(b"x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1").write_bytes(b"x")
    return folder


def find(root: Path, image: str, *, allow_outside: bool = False) -> list[Problem]:
    return find_path_problems(root, replace(ROW, image=image), allow_outside=allow_outside)


def codes(root: Path, image: str, *, allow_outside: bool = False) -> list[str]:
    return [str(problem.code) for problem in find(root, image, allow_outside=allow_outside)]


def test_sound_paths(root: Path) -> None:
    (root / "link.nii.gz").symlink_to("image.nii.gz")
    for image in ("image.nii.gz", "series", "series/1", "./image.nii.gz", "link.nii.gz", "."):
        assert codes(root, image) == []


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("../outside.nii.gz", "path-outside"),
        ("series/../../outside.nii.gz", "path-outside"),
        ("/etc/passwd", "path-outside"),
        ("//etc/passwd", "path-outside"),
        ("..", "path-outside"),
        ("~/image.nii.gz", "file-missing"),
        ("http://host/image.nii.gz", "file-missing"),
        ("file:///etc/passwd", "file-missing"),
        ("C:\\images\\a.nii", "file-missing"),
        ("image.nii.gz\0.png", "file-missing"),
        ("a" * 5000, "file-missing"),
        ("a/" * 5000, "file-missing"),
        ("image.nii.gz/inside", "file-missing"),
        ("%s%n", "file-missing"),
        ("$HOME", "file-missing"),
    ],
)
def test_hostile_texts(root: Path, image: str, code: str) -> None:
    assert codes(root, image) == [code]


def test_backslashes_get_a_hint(root: Path) -> None:
    (problem,) = find(root, "series\\1")
    assert "Write / between folders" in problem.next_step


def test_spaces_at_the_end_get_a_hint(root: Path) -> None:
    (problem,) = find(root, "image.nii.gz ")
    assert problem.code == "file-missing"
    assert "spaces at its ends" in problem.next_step


def test_links_that_leave(root: Path) -> None:
    (root / "file.nii.gz").symlink_to(root.parent / "outside.nii.gz")
    (root / "folder").symlink_to(root.parent / "elsewhere")
    (root / "chain.nii.gz").symlink_to("file.nii.gz")
    for image in ("file.nii.gz", "folder", "folder/1", "chain.nii.gz"):
        assert codes(root, image) == ["path-outside"], image
        assert codes(root, image, allow_outside=True) == [], image


@pytest.mark.parametrize("image", ["series", "series/1"])
def test_links_within_a_dicom_folder(root: Path, image: str) -> None:
    (root / "series" / "3").symlink_to(root.parent / "outside.nii.gz")
    (problem,) = find(root, image)
    assert problem.code == "path-outside"
    assert problem.got == "a folder with a link 3 that leads out of it"
    assert codes(root, image, allow_outside=True) == []


def test_a_message_does_not_say_where_a_link_leads(root: Path) -> None:
    (root / "file.nii.gz").symlink_to(root.parent / "outside.nii.gz")
    (problem,) = find(root, "file.nii.gz")
    assert str(root.parent) not in str(problem)


def test_links_in_a_circle(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    (root / "self").mkdir()
    (root / "self" / "again").symlink_to(".")
    assert codes(root, "a") == ["file-missing"]
    assert codes(root, "a/file") == ["file-missing"]
    assert codes(root, "self") == []


def test_special_files_are_not_opened(root: Path) -> None:
    os.mkfifo(root / "pipe.nii.gz")
    with socket.socket(socket.AF_UNIX) as server:
        place = os.open(root, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{place}/socket.nii.gz")
        os.close(place)
    os.mkfifo(root / "series" / "pipe")
    for image in ("pipe.nii.gz", "socket.nii.gz", "series"):
        (problem,) = find(root, image)
        assert (problem.code, problem.got) == ("file-missing", "a device, pipe or socket")
    assert codes(root, "/dev/zero", allow_outside=True) == ["file-missing"]


def test_files_that_must_not_be_read(root: Path) -> None:
    """Run as a user without rights, because root may read everything."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    script = textwrap.dedent(
        """
        import os, sys
        from dataclasses import replace
        from pathlib import Path
        from pipeline.ingest.path_checks import find_path_problems
        from pipeline.ingest.cohort import read_cohort
        from tests.unit.test_ingest_hostile_paths import ROW
        os.setgid(65534)
        os.setuid(65534)
        os.chdir("cohort")
        for image in ("closed.nii.gz", "shut/1", "shut", "ajar"):
            found = find_path_problems(Path("."), replace(ROW, image=image), allow_outside=True)
            print(image, *(problem.code for problem in found))
        print(*(f"{p.file} {p.code}" for p in read_cohort(Path("."))[1][:1]))
        """
    )
    for name in ("shut", "ajar"):
        (root / name).mkdir()
        (root / name / "1").write_bytes(b"x")
    (root / "closed.nii.gz").write_bytes(b"x")
    (root / "closed.nii.gz").chmod(0)
    (root / "ajar" / "1").chmod(0)
    (root / "scans.csv").write_text("patient_id,image\n")
    (root / "scans.csv").chmod(0)
    (root / "shut").chmod(0)
    project = Path(__file__).parents[2]
    os.chmod(root.parent, 0o755)  # noqa: PTH101 - the folders above belong to root alone
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command,
        cwd=root.parent,
        env={**os.environ, "PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    (root / "shut").chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "closed.nii.gz image-unreadable",
        "shut/1 image-unreadable",
        "shut image-unreadable",
        "ajar image-unreadable",
        "scans.csv table-unreadable",
    ]


def test_tables_that_are_links(root: Path) -> None:
    (root.parent / "patients.csv").write_text("patient_id,age\n")
    (root / "patients.csv").symlink_to("../patients.csv")
    (problem,) = find_table_links(root, allow_outside=False)
    assert (problem.code, problem.file) == ("path-outside", "patients.csv")
    assert list(find_table_links(root, allow_outside=True)) == []


def test_one_image_written_in_two_ways_is_shared() -> None:
    rows = [ROW, replace(ROW, patient_id="P2", image="./folder/../image.nii.gz")]
    assert [number for number, _ in find_shared_images(rows)] == [1]
