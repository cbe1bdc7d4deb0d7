"""Checks that `sam local` runs the service: every event of events/, and the flow of a client.

Without a container engine only the routes are checked, as the SAM CLI reads them. Usage: check.py LOCAL, the program.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import derive
import events
import run
from flow import ORIGIN, walk

FOLDER = pathlib.Path(".aws-sam/check")
SEEDS = 8
# Prints what the SAM CLI makes of a template's routes. The order of a set depends on the seed of the process.
ROUTES = """
import json, logging, sys
logging.disable()
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
stacks, _ = SamLocalStackProvider.get_stacks(sys.argv[1])
guard = lambda route: route.authorizer_object.lambda_name if route.authorizer_object else None
print(json.dumps([[method, route.path, guard(route)] for route in ApiProvider(stacks).api.routes for method in route.methods]))
"""


@contextlib.contextmanager
def running(program, address):
    """What a running `local` writes, with a table at `address`."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "outputs.json"
        command = [program, "--memory", "--port", "0", "--table-address", address, "--outputs", str(path)]
        settings = {"CORS_ALLOWED_ORIGINS": ORIGIN, "SIGNUP_LIMIT_PER_IP": "0", "LOGIN_LIMIT_PER_IP": "0"}
        process = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait(path.exists, process)
            yield run.outputs_of(path)
        finally:
            process.terminate()
            process.wait()


def wait(done, process, seconds=60):
    for _ in range(seconds * 10):
        if done():
            return
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode}")
        time.sleep(0.1)
    sys.exit(f"{process.args[0]} is not ready after {seconds} s")


def check_routes(outputs):
    """Each route has its own authorizer, in whatever order the SAM CLI merges them."""
    derive.write(FOLDER / "template.json", json.dumps(derive.template(outputs, "../build", "x86_64")))
    guard = lambda route: route["authorizer"] and route["authorizer"]["function"]
    expected = sorted([[route["method"], route["path"], guard(route)] for route in outputs["routes"]], key=str)
    for seed in range(SEEDS):
        env = run.environment(outputs["functions"], os.environ) | {"PYTHONHASHSEED": str(seed)}
        read = subprocess.run([sys.executable, "-c", ROUTES, str(FOLDER / "template.json")], env=env, check=True,
                              stdout=subprocess.PIPE)
        found = sorted(json.loads(read.stdout), key=str)
        if found != expected:
            sys.exit(f"seed {seed}: SAM reads {[route for route in found if route not in expected]}")
    print(f"{len(expected)} routes, each with its authorizer")


def check_event(event, outputs, client):
    """The function does what the event asks for, or lets the caller pass."""
    command = run.invocation(event, outputs, client, FOLDER)
    env = run.environment(outputs["functions"], os.environ)
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if not passed(done.stdout):
        sys.exit(f"{event}: {done.stdout}\n{done.stderr}")
    print(f"{event}: {command[3]}", flush=True)


def passed(text):
    """Whether an answer is a success.

    >>> [passed(text) for text in ('{"statusCode": 204}', '{"statusCode": 401}', '{"errorMessage": "Unauthorized"}', "")]
    [True, False, False, False]
    >>> passed('{"policyDocument": {"Statement": [{"Effect": "Allow"}]}}')
    True
    """
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    if "statusCode" in answer:
        return 200 <= answer["statusCode"] < 300
    return [statement["Effect"] for statement in answer.get("policyDocument", {}).get("Statement", [])] == ["Allow"]


def check_flow(outputs, client):
    port = str(free_port())
    with open(FOLDER / "start-api.log", "w", encoding="utf-8") as log:
        command = run.start_api(outputs, client, FOLDER) + ["--port", port]
        env = run.environment(outputs["functions"], os.environ)
        process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait(lambda: answers(f"http://127.0.0.1:{port}/"), process)
        walk(f"http://127.0.0.1:{port}", outputs["routes"])
    finally:
        process.terminate()
        process.wait()


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def free_port():
    with run.socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main(program):
    client = run.engine()
    with running(program, run.table_address(client) if client else "127.0.0.1") as outputs:
        check_routes(outputs)
        if client is None:
            print("skipped: no container engine")
            return
        for event in events.names():
            check_event(event, outputs, client)
        check_flow(outputs, client)


if __name__ == "__main__":
    main(sys.argv[1])
