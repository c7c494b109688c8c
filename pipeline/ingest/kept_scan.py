"""The scan that was read last, kept for the next region that is drawn on it."""

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.domain.reading import Reading
from pipeline.domain.scan import Modality, Scan
from pipeline.ingest.source_memory import FileState, list_file_states
from pipeline.ingest.volume import read_scan

Look = tuple[Path, Modality, Reading, tuple[FileState, ...]]


@dataclass(slots=True)
class KeptScan:
    """Reads scans, one image once as long as it is asked for again and again."""

    _look: Look | None = field(default=None, init=False)
    _scan: Scan | None = field(default=None, init=False, repr=False)

    def read(self, path: Path, modality: Modality, reading: Reading) -> Scan:
        """Return the scan of an image; see :func:`pipeline.ingest.volume.read_scan`.

        An image whose files have changed meanwhile is read again.
        """
        try:
            look = (path, modality, reading, tuple(list_file_states(path)))
        except OSError:  # the reader says what is wrong
            return read_scan(path, modality, reading)
        if self._scan is None or look != self._look:
            self._scan = None  # not two scans in memory
            scan = read_scan(path, modality, reading)
            self._look, self._scan = look, scan
        return self._scan
