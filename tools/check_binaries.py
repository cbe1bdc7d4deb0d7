"""What `sam build` made: sizes, and whether Amazon Linux 2023 can run it.

Prints for each function the size of its binary and of its deployment package, its machine and the newest glibc that it asks
for. Fails if a binary needs a newer glibc than 2.34, the one of Amazon Linux 2023 ("Compare AL2 and AL2023", glibc), a
library that comes with neither glibc nor gcc, or if it is for another machine than the other ones. Usage:
check_binaries.py FOLDER, with FOLDER/<logical id>/bootstrap for each function.
"""

import io
import pathlib
import struct
import sys
import zipfile

NEWEST = (2, 34)
LIBRARIES = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1",
             "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
MACHINES = {62: "x86_64", 183: "arm64"}  # e_machine, "System V ABI", ELF header
DYNAMIC, VERSIONS_NEEDED = 6, 0x6FFFFFFE  # sh_type
NEEDED = 1  # d_tag


class Elf:
    """The parts of a 64-bit little-endian ELF file that say what it is loaded with."""

    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("it is no 64-bit little-endian ELF file")
        self.data = data
        self.machine = MACHINES.get(struct.unpack_from("<H", data, 18)[0], "unknown")
        (offset,) = struct.unpack_from("<Q", data, 40)
        size, count = struct.unpack_from("<HH", data, 58)
        # name, type, flags, address, offset, size, link, info, alignment, entry size
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]

    def _section(self, kind):
        return next((section for section in self.sections if section[1] == kind), None)

    def _text(self, section, offset):
        start = self.sections[section[6]][4] + offset
        return self.data[start:self.data.index(b"\0", start)].decode()

    def libraries(self):
        """The shared libraries that the loader opens."""
        section = self._section(DYNAMIC)
        entries = struct.iter_unpack("<QQ", self.data[section[4]:section[4] + section[5]]) if section else ()
        return {self._text(section, value) for tag, value in entries if tag == NEEDED}

    def versions(self):
        """The versions of symbols that it asks of them, such as GLIBC_2.17."""
        section = self._section(VERSIONS_NEEDED)
        library = section[4] if section else None
        while library is not None:
            _, count, _, first, following = struct.unpack_from("<HHIII", self.data, library)
            entry = library + first
            for _ in range(count):
                _, _, _, name, step = struct.unpack_from("<IHHII", self.data, entry)
                yield self._text(section, name)
                entry += step
            library = library + following if following else None


def glibc(elf):
    """The newest version of glibc that is asked for."""
    numbers = [name.removeprefix("GLIBC_") for name in elf.versions() if name.startswith("GLIBC_")]
    return max((tuple(int(part) for part in number.split(".")) for number in numbers), default=(0,))


def package_size(data):
    """The size of the archive that is uploaded."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bootstrap", data)
    return len(archive.getvalue())


def faults(paths):
    machines = set()
    print(f"{'function':<20} {'machine':<8} {'glibc':<6} {'bootstrap':>11} {'zip':>10}   bytes")
    for path in paths:
        data = path.read_bytes()
        elf = Elf(data)
        version = glibc(elf)
        machines.add(elf.machine)
        text = ".".join(map(str, version))
        print(f"{path.parent.name:<20} {elf.machine:<8} {text:<6} {len(data):>11,} {package_size(data):>10,}")
        if version > NEWEST:
            yield f"{path} needs glibc {text}"
        for library in sorted(elf.libraries() - LIBRARIES):
            yield f"{path} needs {library}"
    if len(machines) != 1:
        yield f"the binaries are for {', '.join(sorted(machines)) or 'nothing'}"


def main(folder):
    found = list(faults(sorted(pathlib.Path(folder).glob("*/bootstrap"))))
    for fault in found:
        print(fault, file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main(sys.argv[1])
