"""Which visit of a patient is the baseline, which the pre-operative one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.scan import Timepoint
from pipeline.ingest.dicom.stacks import Stack
from pipeline.ingest.pseudonyms import days_between


@dataclass(frozen=True, slots=True)
class Visits:
    """The days on which a patient was scanned, in order.

    Studies of one day are one visit, so that a CT and an MR of a day are not taken for two time
    points.

    Parameters
    ----------
    dates : tuple of str
        ``YYYYMMDD`` as in the headers, or the study's identifier where it has no date; in memory
        only.
    timepoints : mapping of str to Timepoint
        Of the visits that have one.
    """

    dates: tuple[str, ...]
    timepoints: Mapping[str, Timepoint]

    def timepoint(self, stack: Stack) -> Timepoint | None:
        """Return the time point of a stack; None for visits that have none."""
        return self.timepoints.get(_day(stack))

    def number(self, stack: Stack) -> int:
        """Return which visit it is, from 1."""
        return self.dates.index(_day(stack)) + 1

    def days(self, stack: Stack) -> int | None:
        """Return the days since the first visit; None where there are no dates."""
        return days_between(self.dates[0], _day(stack))

    def why_none(self) -> str:
        """Say why a stack has no time point."""
        if not self.timepoints:
            return "several studies, and one has no date, so that they cannot be ordered"
        return "neither the first nor the last visit"


def order_visits(stacks: Sequence[Stack], only: Timepoint) -> Visits:
    """Order the visits of a patient: the first is the baseline, the last the pre-operative one.

    Parameters
    ----------
    stacks : sequence of Stack
        Everything there is of the patient.
    only : Timepoint
        What a single visit is.
    """
    dates = tuple(sorted({_day(stack) for stack in stacks}))
    if len(dates) == 1:
        return Visits(dates, {dates[0]: only})
    if not dates or any(days_between(dates[0], day) is None for day in dates):
        return Visits(dates, {})
    return Visits(dates, {dates[0]: Timepoint.BASELINE, dates[-1]: Timepoint.PREOP})


def _day(stack: Stack) -> str:
    return stack.facts.study_date or f"study {stack.facts.study_uid}"
