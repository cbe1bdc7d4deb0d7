"""A share of one CPU for a process, as Lambda gives it: control groups, version 1 or 2, as root."""

import os
from pathlib import Path

PERIOD = 20_000
# "Configure Lambda function memory": 1,769 MB are one vCPU.
WHOLE = 1_769


class Share:
    """A group whose processes get the CPU that Lambda gives to so many megabytes."""

    def __init__(self, megabytes: int) -> None:
        self.folder = controllers() / f"latchkey-bench-{os.getpid()}-{megabytes}"
        self.folder.mkdir()
        quota = max(1_000, PERIOD * megabytes // WHOLE)
        if (self.folder / "cpu.max").exists():
            (self.folder / "cpu.max").write_text(f"{quota} {PERIOD}")
        else:
            (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD))
            (self.folder / "cpu.cfs_quota_us").write_text(str(quota))

    def take(self, pid: int) -> None:
        """Moves a process with all its threads into the group."""
        (self.folder / "cgroup.procs").write_text(str(pid))

    def close(self) -> None:
        self.folder.rmdir()


def controllers() -> Path:
    """Where groups that limit CPU are made."""
    one = Path("/sys/fs/cgroup/cpu")
    if one.exists():
        return one
    two = Path("/sys/fs/cgroup")
    if "cpu" not in (two / "cgroup.subtree_control").read_text().split():
        (two / "cgroup.subtree_control").write_text("+cpu")
    return two
