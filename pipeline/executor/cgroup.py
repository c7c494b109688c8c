"""What a batch system or a container leaves of this machine's memory (Linux control groups)."""

from collections.abc import Iterator
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def free_group_bytes(mount: Path = _MOUNT, membership: Path = _MEMBERSHIP) -> int:
    """Return how much more this process's groups may use; very much where nothing limits them.

    A process that takes more is killed without a word. File pages that the kernel would give back
    count as free. Files: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max,
    memory.current) and https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
    """
    lines = membership.read_text().splitlines() if membership.is_file() else []
    groups = (group for line in lines for group in _groups(mount, *line.split(":", 2)))
    return min((_free_bytes(group) for group in groups), default=2**63)


def _groups(mount: Path, _number: str, controllers: str, path: str) -> Iterator[Path]:
    """Yield the group and all that it lies in; a limit of any of them holds."""
    if controllers not in {"", "memory"}:
        return
    root = mount / controllers
    group = root / path.lstrip("/")
    yield from (place for place in (group, *group.parents) if place.is_relative_to(root))


def _free_bytes(group: Path) -> int:
    for limit, used, cached in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most = (group / limit).read_text().strip()
            taken = int((group / used).read_text())
            stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except OSError:  # the root of all groups has no limit, a container does not show them all
            continue
        if most != "max":
            return max(0, int(most) - taken + int(stat.get(cached, 0)))
    return 2**63
