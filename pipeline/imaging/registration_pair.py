"""Two scans of one patient, one to be laid on the other."""

from dataclasses import dataclass

from pipeline.domain.scan import Region, Scan


@dataclass(frozen=True, slots=True)
class Pair:
    """Two scans of a patient, with a liver mask each where there is one, on its scan's grid.

    Parameters
    ----------
    fixed, moving : Scan
        The reference, and what is to be laid on it.
    fixed_liver, moving_liver : Region or None
        The fixed one guides the registration; both together give a start and a Dice.
    same_session : bool
        Whether both lie in the coordinates of one examination, so that breathing and small
        movements are all that is between them.
    """

    fixed: Scan
    moving: Scan
    fixed_liver: Region | None = None
    moving_liver: Region | None = None
    same_session: bool = True
