"""One thing that is wrong with a cohort, said so that it can be mended."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a problem stops the run (error) or is only reported (warning)."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, where, what was expected, what was found, what to do next.

    Parameters
    ----------
    code : str
        Stable identifier in kebab case, such as ``mask-empty``.
    what : str
        The problem in a few words, without the place.
    expected, got : str
        What the contract asks for and what was found, with units.
    next_step : str
        What the user can do about it.
    patient_id, file, column : str
        The place, each empty where it does not apply. ``file`` is relative to the cohort folder.
    severity : Severity
        Errors stop a run, warnings do not.
    """

    code: str
    what: str
    expected: str
    got: str
    next_step: str
    patient_id: str = ""
    file: str = ""
    column: str = ""
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """True where the problem stops a run."""
        return self.severity is Severity.ERROR

    def as_dict(self) -> dict[str, str]:
        """Return the fields by name, for JSON and tables."""
        return {name: str(value) for name, value in asdict(self).items()}

    def __str__(self) -> str:
        places = (
            ("patient", self.patient_id),
            ("file", self.file),
            ("column", self.column),
        )
        where = ", ".join(f"{label} {value}" for label, value in places if value)
        head = f"[{self.code}] {where}: {self.what}" if where else f"[{self.code}] {self.what}"
        return f"{head}: expected {self.expected}, got {self.got}. {self.next_step}"
