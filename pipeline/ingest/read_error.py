"""The error of every reader here: an image that cannot be read, said so that it can be mended."""

from pathlib import Path

from pipeline.domain.errors import ImageError
from pipeline.ingest.codes import Code


class ReadError(ImageError):
    """An image, mask or DICOM series cannot be read.

    Parameters
    ----------
    path : Path
        The file or folder.
    what, expected, got, next_step : str
        As in :class:`pipeline.domain.problem.Problem`, so that a check of a whole cohort can list
        it as one.
    code : str
        Code of the problem, see :mod:`pipeline.ingest.codes`.
    """

    def __init__(
        self,
        path: Path,
        what: str,
        *,
        expected: str,
        got: str,
        next_step: str,
        code: str = Code.IMAGE_UNREADABLE,
    ) -> None:
        self.path = path
        self.what = what
        self.expected = expected
        self.got = got
        self.next_step = next_step
        self.code = code
        super().__init__(f"{path}: {what}: expected {expected}, got {got}. {next_step}")

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process."""
        state = (self.path, self.what, self.expected, self.got, self.next_step, self.code)
        return (_rebuild, state)


def _rebuild(path: Path, *fields: str) -> ReadError:
    what, expected, got, next_step, code = fields
    return ReadError(path, what, expected=expected, got=got, next_step=next_step, code=code)
