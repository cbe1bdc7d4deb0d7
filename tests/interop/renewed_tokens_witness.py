"""Runs one event of standard input through the Python wrapper: {"event", "answer"} in, the answer out."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "renewed-tokens"))
from renewed_tokens import with_renewed_tokens  # noqa: E402 (the path has to be there first)

given = json.load(sys.stdin)
json.dump(with_renewed_tokens(lambda event, context: given["answer"])(given["event"], None), sys.stdout)
