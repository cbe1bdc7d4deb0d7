"""A process that verifies for as long as it lives: witness.mjs in Python."""

import json
import sys
import time

from verifiers.pyjwt_verifier import verify

real = time.monotonic
ahead = 0.0
time.monotonic = lambda: real() + ahead

for line in map(str.strip, sys.stdin):
    if line.startswith("+"):
        ahead += float(line)
        answer = {}
    else:
        try:
            answer = {"claims": verify(line)}
        except Exception as error:  # whatever a verifier throws is a refusal
            answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
