"""A function as a process of its own, and what it has used."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from runtime_api import Failed, RuntimeApi


class Process:
    """A function that has asked for its first event."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path | None = None) -> None:
        self.api = RuntimeApi()
        # Audit lines go where Lambda would read them: to a file, which takes them at once.
        self.output = tempfile.TemporaryFile()
        environment = {**environment, "AWS_LAMBDA_RUNTIME_API": self.api.address}
        began = time.perf_counter_ns()
        self.child = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=self.output, stderr=subprocess.STDOUT
        )
        try:
            self.start_wall = self.api.wait_until_asked() - began
        except Failed as failure:
            self.stop()
            raise Failed(f"{' '.join(command)}: {failure}\n{self.said()}") from None
        self.start_cpu = self.cpu_at_rest()

    def invoke(self, event: bytes) -> tuple[int, bytes]:
        """One invocation, until the process asks for the next: nanoseconds from the event to the answer, and the answer."""
        try:
            wall, answer = self.api.invoke(event)
            self.api.wait_until_asked()
        except Failed as failure:
            raise Failed(f"{self.child.args}: {failure}\n{self.said()}") from None
        return wall, answer

    def cpu(self) -> int:
        """Nanoseconds of CPU of all its threads, those that have ended among them."""
        # `clock_getcpuclockid` of a process that is not our own, which Python does not have (linux/posix-timers.h).
        return time.clock_gettime_ns((~self.child.pid << 3) | 2)

    def cpu_at_rest(self) -> int:
        """The same, when it does nothing more: after an answer there may be something to tidy up."""
        before = self.cpu()
        for _ in range(100):
            time.sleep(0.001)
            after = self.cpu()
            if after == before:
                break
            before = after
        return before

    def peak_memory(self) -> int:
        """The most KiB that were resident at a time."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

    def said(self) -> str:
        self.output.seek(0)
        return self.output.read().decode(errors="replace")[-2000:]

    def stop(self) -> None:
        if self.child.poll() is None:
            os.kill(self.child.pid, signal.SIGKILL)
            self.child.wait()
        self.api.close()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.output.close()
