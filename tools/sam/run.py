"""Runs the functions that `sam build` made in `sam local`, with the table, secrets and settings of a running `local`.

    run.py engine                       fails unless there is a container engine
    run.py table-address                prints the address at which containers reach this machine
    run.py api [ARGUMENTS OF SAM]       sam local start-api
    run.py invoke EVENT [ARGUMENTS]     sam local invoke, with events/EVENT.json

What SAM needs is written to .aws-sam/local, as docs/sam-local.md explains.
"""

import json
import os
import pathlib
import platform
import socket
import sys

import derive
import docker
import docker.errors
import events

OUTPUTS = pathlib.Path(".local/outputs.json")
BUILD = pathlib.Path(".aws-sam/build")
FOLDER = pathlib.Path(".aws-sam/local")
# `sam local start-api` reloads a template that changes, so an invocation has its own.
API, INVOKE = "api", "invoke"
IMAGE = "public.ecr.aws/lambda/provided:al2023"


def engine():
    """The container engine, or None."""
    try:
        client = docker.from_env()
        client.ping()
        return client
    except docker.errors.DockerException:
        return None


def required_engine():
    found = engine()
    if found is None:
        raise SystemExit("no container engine answers: start Docker, or set DOCKER_HOST")
    return found


def table_address(client):
    """The address of this machine that containers reach, or the loopback address if the bridge is not on this machine."""
    try:
        gateway = bridge_gateway(client.networks.get("bridge").attrs["IPAM"]["Config"][0])
        with socket.socket() as listener:
            listener.bind((gateway, 0))
            return gateway
    except (docker.errors.NotFound, OSError):
        return "127.0.0.1"


def bridge_gateway(config):
    """The gateway of a network. An engine that has run no container yet names the subnet alone.

    >>> bridge_gateway({"Subnet": "172.17.0.0/16"})
    '172.17.0.1'
    >>> bridge_gateway({"Subnet": "10.1.0.0/24", "Gateway": "10.1.0.254"})
    '10.1.0.254'
    """
    return config.get("Gateway") or config["Subnet"].split("/")[0].removesuffix(".0") + ".1"


def outputs_of(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SystemExit(f"{path} is not there: start `make sam-table` in another terminal") from None


def environment(functions, inherited):
    """The environment of the SAM CLI: it passes on what functions declare, and keys of AWS, where it finds them.

    >>> functions = {"F": {"environment": {"LOG_LEVEL": "warn", "AWS_REGION": "us-east-1"}}}
    >>> made = environment(functions, {"PATH": "/bin", "AWS_PROFILE": "live", "AWS_SECRET_ACCESS_KEY": "real", "LOG_LEVEL": "x"})
    >>> made["PATH"], made["AWS_SECRET_ACCESS_KEY"], made["AWS_REGION"], "AWS_PROFILE" in made, "LOG_LEVEL" in made
    ('/bin', 'local', 'us-east-1', False, False)
    """
    declared = {name for function in functions.values() for name in function["environment"]}
    region = next(iter(functions.values()))["environment"]["AWS_REGION"]
    kept = {name: value for name, value in inherited.items() if not name.startswith("AWS_") and name not in declared}
    return kept | {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # SAM asks STS for the account's number. Where nothing listens, it goes on with another at once.
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
        "SAM_CLI_TELEMETRY": "0",
    }


def prepared(outputs, client, folder, settings=None):
    """Writes the template to `folder`, and returns the arguments that every command of SAM gets."""
    endpoint = next(iter(outputs["functions"].values()))["environment"]["AWS_ENDPOINT_URL_DYNAMODB"]
    if "//127." in endpoint and table_address(client) != "127.0.0.1":
        raise SystemExit(f"containers do not reach {endpoint}: start `make sam-table`, which lets the table listen elsewhere")
    architecture = derive.architecture_of(BUILD, outputs["functions"])
    if (architecture == "arm64") != (platform.machine() in ("arm64", "aarch64")):
        print(f"{BUILD} has functions for {architecture}, which this machine must emulate; `make build ARCH=...` makes others",
              file=sys.stderr)
    template = derive.template(outputs, os.path.relpath(BUILD, folder), architecture, settings)
    derive.write(folder / "template.json", json.dumps(template, indent=2))
    arguments = ["--template", str(folder / "template.json")]
    # SAM asks the registry for a newer image in every invocation. `docker pull` gets one.
    return arguments + ["--skip-pull-image"] if has_image(client, f"{IMAGE}-{architecture}") else arguments


def has_image(client, name):
    try:
        client.images.get(name)
        return True
    except docker.errors.ImageNotFound:
        return False


def sam():
    return str(pathlib.Path(sys.executable).with_name("sam"))


def invocation(event, outputs, client, folder=FOLDER):
    """The command that invokes a function with an event, which is written beside the template."""
    function = events.function_of(event, outputs["functions"])
    environment = outputs["functions"][function]["environment"]
    arguments = prepared(outputs, client, folder / INVOKE, events.settings(event, environment))
    path = folder / INVOKE / f"{event}.json"
    derive.write(path, events.filled(event, outputs["url"], environment.get("CORS_ALLOWED_ORIGINS", "")))
    return [sam(), "local", "invoke", function, "--event", str(path)] + arguments


def start_api(outputs, client, folder=FOLDER):
    """The command that serves the API."""
    return [sam(), "local", "start-api", "--warm-containers", "LAZY"] + prepared(outputs, client, folder / API)


def main(arguments):
    match arguments:
        case ["engine"]:
            sys.exit(0 if engine() else 1)
        case ["table-address"]:
            print(table_address(required_engine()))
            return
        case ["api", *rest]:
            outputs, client = outputs_of(OUTPUTS), required_engine()
            command = start_api(outputs, client) + rest
        case ["invoke", event, *rest] if event in events.names():
            outputs, client = outputs_of(OUTPUTS), required_engine()
            command = invocation(event, outputs, client) + rest
        case ["invoke", *_]:
            sys.exit(f"give EVENT one of {', '.join(events.names())}")
        case _:
            sys.exit(__doc__)
    print(" ".join(command), file=sys.stderr, flush=True)
    os.execve(command[0], command, environment(outputs["functions"], os.environ))


if __name__ == "__main__":
    main(sys.argv[1:])
