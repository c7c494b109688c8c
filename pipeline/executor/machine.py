"""How much this machine can do at once."""

import os
from pathlib import Path

from pipeline.executor.cgroup import free_group_bytes

MEMORY_PER_WORKER_BYTES = 1_500_000_000
"""What one worker may need where nobody knows better: PyRadiomics on a thin CT took 1.2 GB."""


def default_jobs(memory_per_worker_bytes: int = MEMORY_PER_WORKER_BYTES) -> int:
    """Return how many cases this machine can work on at once, by its cores and free memory."""
    # Where the system can tell, the cores that this process may use, not all that exist.
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores, available_memory_bytes() // memory_per_worker_bytes))


def available_memory_bytes() -> int:
    """Return the memory that Linux says is available; elsewhere more than any machine has."""
    meminfo = Path("/proc/meminfo")
    lines = meminfo.read_text().splitlines() if meminfo.is_file() else []
    kibibytes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return min(kibibytes[0] * 1024 if kibibytes else 2**63, free_group_bytes())
