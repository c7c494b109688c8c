"""The page of a checked cohort: what is wrong, and every scan with its outlines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.problem import Problem
from pipeline.report.cohort_pictures import ScanPicture
from pipeline.report.page import render_page, render_template
from pipeline.report.plain_text import plain_text
from pipeline.report.three_planes import PANEL_PIXELS, Panel

_MOST_STEPS = 3
_SLICES = {"axial": "axial slice", "coronal": "coronal slice", "sagittal": "sagittal slice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPage:
    """Everything that the page shows.

    Parameters
    ----------
    patients : sequence of str
        Identifiers in the order of ``patients.csv``.
    pictures : sequence of ScanPicture
        Those of all scan rows.
    problems : sequence of Problem
        All that were found.
    meanings : dict of str to str
        Meaning of each code that has one.
    synthetic : bool
        Whether the patients are invented.
    """

    patients: Sequence[str]
    pictures: Sequence[ScanPicture]
    problems: Sequence[Problem]
    meanings: Mapping[str, str]
    synthetic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    """A scan row on the page; ``state`` is that of its files: error, warning or fine."""

    title: str
    files: str
    notes: Sequence[str]
    picture: ScanPicture
    state: str

    def alt(self, panel: Panel) -> str:
        """Return the text for readers who do not see the picture."""
        shown = _SLICES.get(panel.name, "enlarged axial slice")
        names = " and ".join(outline.region for outline in panel.outlines)
        return f"{self.title}: {shown} with {f'outline of {names}' if names else 'no outline'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A patient on the page."""

    patient_id: str
    anchor: str
    problems: Sequence[Problem]
    figures: Sequence[_Figure]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _CodeRow:
    """All problems of one code and severity."""

    code: str
    state: str
    count: int
    meaning: str
    steps: Sequence[str]
    sections: Sequence[_Section]


def render_cohort_page(page: CohortPage) -> str:
    """Return a self-contained HTML page without scripts.

    Its parts: counts, a table of codes with what to do, then a section a patient. Links lead from
    patient to patient; a box hides the outlines.
    """
    sections = list(_sections(page))
    errors = sum(problem.is_error for problem in page.problems)
    known = {section.patient_id for section in sections}
    body = render_template(
        "cohort.html",
        counts=(
            ("patients", len(page.patients)),
            ("scan rows", len(page.pictures)),
            ("errors", errors),
            ("warnings", len(page.problems) - errors),
        ),
        codes=list(_code_rows(page, sections)),
        general=[problem for problem in page.problems if problem.patient_id not in known],
        sections=sections,
        side=PANEL_PIXELS,
    )
    return render_page("Check of a cohort", body, synthetic=page.synthetic)


def _sections(page: CohortPage) -> Iterator[_Section]:
    """Yield the patients of ``patients.csv``, then those who are only in other tables."""
    pictures: dict[str, list[ScanPicture]] = {}
    for picture in page.pictures:
        pictures.setdefault(picture.row.patient_id, []).append(picture)
    problems: dict[str, list[Problem]] = {}
    for problem in page.problems:
        problems.setdefault(problem.patient_id, []).append(problem)
    everyone = dict.fromkeys([*page.patients, *pictures, *problems])
    for number, patient_id in enumerate((name for name in everyone if name), start=1):
        own = problems.get(patient_id, [])
        yield _Section(
            patient_id=patient_id,
            anchor=f"p{number}",
            problems=sorted(own, key=lambda problem: not problem.is_error),
            figures=[_figure(picture, own) for picture in pictures.get(patient_id, [])],
            state=_state(own),
        )


def _figure(picture: ScanPicture, problems: Sequence[Problem]) -> _Figure:
    row = picture.row
    organs = [row.liver_mask, row.vessel_mask, row.muscle_mask]
    files = [name for name in (row.image, row.mask, *organs) if name]
    label = f" [{row.mask_label}]" if row.mask_label else ""
    mask = f"{row.mask}{label}" if row.mask else "no mask"
    return _Figure(
        title=f"{row.timepoint} {row.modality} {row.phase}, lesion {row.lesion_id}",
        files=plain_text(", ".join([row.image, mask, *filter(None, organs)])),
        notes=[plain_text(note) for note in picture.notes],
        picture=picture,
        state=_state([problem for problem in problems if problem.file in files]),
    )


def _state(problems: Sequence[Problem]) -> str:
    if any(problem.is_error for problem in problems):
        return "error"
    return "warning" if problems else "fine"


def _code_rows(page: CohortPage, sections: Sequence[_Section]) -> Iterator[_CodeRow]:
    """Yield the codes that occur, errors first, then by number."""
    groups: dict[tuple[bool, str], list[Problem]] = {}
    for problem in page.problems:
        groups.setdefault((not problem.is_error, problem.code), []).append(problem)
    for (is_warning, code), members in sorted(
        groups.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1])
    ):
        concerned = {problem.patient_id for problem in members}
        steps = list(dict.fromkeys(problem.next_step for problem in members))
        yield _CodeRow(
            code=code,
            state="warning" if is_warning else "error",
            count=len(members),
            meaning=page.meanings.get(code, members[0].what),
            steps=steps[:_MOST_STEPS],
            sections=[section for section in sections if section.patient_id in concerned],
        )
