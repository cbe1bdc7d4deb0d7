"""Starts the service and has it attacked: python tools/attack/run.py BINARY [arguments of `schemathesis run`].

Limits are off, as the attack would reach them within a second, and a password costs the least that is allowed.
"""

import os
import re
import subprocess
import sys

SETTINGS = {
    "ARGON2_MEMORY_KIB": "7168",
    "ARGON2_ITERATIONS": "1",
    "LOGIN_LIMIT_PER_ADDRESS": "0",
    "LOGIN_LIMIT_PER_IP": "0",
    "LOGIN_LOCK_FAILURES": "0",
    "SIGNUP_LIMIT_PER_IP": "0",
    "RENEWAL": "rotate",
    "RENEWAL_WINDOW": "30m",
}


def main() -> int:
    binary, arguments = sys.argv[1], sys.argv[2:]
    log_path = os.path.join(os.path.dirname(binary), "attack.log")
    with open(log_path, "w+", encoding="utf-8") as log:
        service = subprocess.Popen(
            [binary, "--memory", "--port", "0"], env={**os.environ, **SETTINGS}, stdout=log, stderr=log
        )
        try:
            url = started(service, log_path)
            attack = ["schemathesis", "--config-file", "tools/attack/schemathesis.toml", "run", f"{url}/openapi.json"]
            attack[0] = os.path.join(os.path.dirname(sys.executable), attack[0])
            status = subprocess.call(attack + arguments, env={**os.environ, "LATCHKEY_URL": url})
            if service.poll() is not None:
                print(f"the service ended with {service.returncode}, see {log_path}")
                return 1
            return status
        finally:
            service.terminate()
            service.wait()


def started(service: subprocess.Popen, log_path: str) -> str:
    """The URL, once the service has said it."""
    while service.poll() is None:
        with open(log_path, encoding="utf-8") as said:
            found = re.search(r"Latchkey on (http://\S+)\n.*Try:", said.read(), re.DOTALL)
        if found:
            return found.group(1)
        try:
            service.wait(0.1)
        except subprocess.TimeoutExpired:
            pass
    with open(log_path, encoding="utf-8") as said:
        sys.exit(f"the service did not start:\n{said.read()}")


if __name__ == "__main__":
    sys.exit(main())
