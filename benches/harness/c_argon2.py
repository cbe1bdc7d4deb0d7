#!/usr/bin/env python3
"""What the C library takes for the same argon2id as a login: c_argon2.py PIP. Compiles it twice: its reference and its AVX2 code.

The source is that of argon2-cffi-bindings, which carries the library (https://github.com/P-H-C/phc-winner-argon2).
"""

import ctypes
import statistics
import subprocess
import sys
import tarfile
import time

from report import markdown
from table import ROOT

PACKAGE = "argon2-cffi-bindings==25.1.0"
FILES = ("argon2.c", "core.c", "encoding.c", "thread.c", "blake2/blake2b.c")
ROUNDS = 41


def main() -> None:
    source = fetch(sys.argv[1])
    libraries = {
        "C library, reference": compiled(source, "reference", "ref.c", []),
        "C library, SSE2": compiled(source, "sse2", "opt.c", []),
        "C library, AVX2": compiled(source, "avx2", "opt.c", ["-mavx2"]),
    }
    costs: dict = {name: [] for name in libraries}
    for _ in range(ROUNDS):
        for name, library in libraries.items():
            costs[name].append(cost(library))
    rows = [[name, f"{statistics.median(values) / 1e6:.2f}"] for name, values in costs.items()]
    print(markdown(["argon2id, 19 MiB, t = 2", "CPU, ms"], rows))


def fetch(pip: str):
    folder = ROOT / "target/argon2"
    if not folder.exists():
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([pip, "download", *options, "--dest", folder, PACKAGE], check=True)
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
    return next(folder.glob("*/extras/libargon2"))


def compiled(source, name: str, fill: str, flags: list[str]) -> ctypes.CDLL:
    library = source / f"{name}.so"
    files = [source / "src" / file for file in (*FILES, fill)]
    options = ["-O3", "-shared", "-fPIC", "-pthread", "-I", source / "include", "-I", source / "src"]
    subprocess.run(["cc", *options, *flags, "-o", library, *files], check=True)
    return ctypes.CDLL(str(library))


def cost(library: ctypes.CDLL) -> int:
    """Nanoseconds of CPU; the library takes fresh memory each time."""
    output = ctypes.create_string_buffer(32)
    password, salt = b"plum-kettle-orbit", b"\7" * 16
    size = ctypes.c_size_t
    before = time.process_time_ns()
    error = library.argon2id_hash_raw(
        2, 19_456, 1, password, size(len(password)), salt, size(len(salt)), output, size(len(output))
    )
    after = time.process_time_ns()
    if error:
        raise SystemExit(f"argon2id_hash_raw: {error}")
    return after - before


if __name__ == "__main__":
    main()
