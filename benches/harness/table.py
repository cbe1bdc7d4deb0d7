"""The table: the embedded engine of `local`, behind TLS."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class Table:
    """A running engine with an empty table, and a TLS front."""

    def __init__(self, folder: Path) -> None:
        self.processes: list[subprocess.Popen] = []
        try:
            self._start(folder)
        except BaseException:
            self.stop()
            raise

    def _start(self, folder: Path) -> None:
        port = self._port_of_engine()
        certificate, key, self.roots = certificates(folder)
        front = self._run([sys.executable, HERE / "tls_front.py", certificate, key, port])
        self.url = f"https://localhost:{int(front.stdout.readline())}"
        self.name = request(port, "ListTables", {})["TableNames"][0]

    def _port_of_engine(self) -> int:
        engine = self._run([ROOT / "target/debug/local", "--memory", "--port", "0"], stderr=subprocess.DEVNULL)
        for line in engine.stdout:
            if found := re.search(r"--endpoint http://127\.0\.0\.1:(\d+)", line):
                return int(found[1])
        raise SystemExit("target/debug/local does not start")

    def _run(self, command: list, **streams) -> subprocess.Popen:
        words = [str(word) for word in command]
        self.processes.append(subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, **streams))
        return self.processes[-1]

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait()


def request(port: int, operation: str, body: dict) -> dict:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        "Authorization": "AWS4-HMAC-SHA256 Credential=bench/20260101/eu-west-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    connection.request("POST", "/", json.dumps(body), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """A certificate of localhost, its key, and a trust store: the machine's roots, as many as a Lambda has, and one more."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key, leaf, leaf_key = (folder / name for name in ("ca.pem", "ca.key", "leaf.pem", "leaf.key"))
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", ca_key, "-out", ca, "-days", "30",
            "-subj", "/CN=bench root", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    request_file, extensions = folder / "leaf.csr", folder / "leaf.ext"
    extensions.write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", leaf_key, "-out", request_file, "-subj", "/CN=localhost")
    openssl("x509", "-req", "-in", request_file, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", leaf,
            "-days", "30", "-extfile", extensions)  # fmt: skip
    roots = folder / "roots.pem"
    shutil.copy(machine_roots(), roots)
    with roots.open("a") as file:
        file.write("\n" + ca.read_text())
    return leaf, leaf_key, roots


def machine_roots() -> str:
    known = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
    return next(path for path in known if os.path.exists(path))


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
