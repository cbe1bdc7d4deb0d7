"""What template.yaml gives each function: the variables of its environment with the parameters' defaults, and its memory."""

import re
from pathlib import Path

TEMPLATE = (Path(__file__).parent.parent.parent / "template.yaml").read_text()


def environment(function: str) -> dict[str, str]:
    """The variables of `LoginFunction` whose value is a parameter with a default that is not empty."""
    block = resource(function).split("        Variables:\n", 1)
    if len(block) < 2:
        raise SystemExit(f"{function} has no variables in template.yaml")
    found = re.findall(r"^          (\w+): !Ref (\w+)$", block[1], re.MULTILINE)
    values = {name: default(parameter) for name, parameter in found}
    return {name: value for name, value in values.items() if value}


def names(function: str) -> set[str]:
    """All variables of a function."""
    return set(re.findall(r"^          (\w+):", resource(function).split("        Variables:\n", 1)[1], re.MULTILINE))


def memory(function: str) -> int:
    """Megabytes."""
    of_all = re.search(r"^    MemorySize: (\d+)$", TEMPLATE, re.MULTILINE)
    own = re.search(r"^      MemorySize: (\d+)$", resource(function), re.MULTILINE)
    return int((own or of_all)[1])


def resource(name: str) -> str:
    return re.search(rf"^  {name}:\n((?:    .*\n|  *#.*\n|\n)+)", TEMPLATE, re.MULTILINE)[1]


def default(parameter: str) -> str:
    found = re.search(r"^    Default: (.*)$", resource(parameter), re.MULTILINE)
    return found[1].split(" #")[0].strip().strip("'\"") if found else ""
