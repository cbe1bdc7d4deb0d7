"""Deploys what `sam build` made into an AWS emulator, and runs the scenarios of crates/local/tests/api over it.

The template is the real one, `sam deploy` the real command, the binaries are those that would be deployed; the gateway,
DynamoDB, CloudFormation and Secrets Manager are MiniStack's (PyPI), in a process of this one's, on a free port, and gone at
the end. `emulated` says what is changed in the template before. Usage: e2e_stack.py MINISTACK SAM ARCHITECTURE -- TEST COMMAND...
"""

import contextlib
import json
import os
import pathlib
import socket
import string
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3
from samcli.yamlhelper import yaml_dump, yaml_parse

STACK = "latchkey"
REGION = "eu-central-1"
BUILT = pathlib.Path(".aws-sam/build/template.yaml")
# What crates/local/tests/api/scenarios/world.rs expects of a deployment.
PARAMETERS = {
    "CorsAllowedOrigins": "https://app.example.com,http://localhost:5173",
    "RefreshGrace": "4s",
}
# What the suite makes happen must have left its line, from whichever function writes it.
AUDITED = {
    "signup", "login", "refresh_token_rotated", "refresh_token_replayed", "refresh_token_reused", "logout",
    "session_ended", "sessions_revoked", "profile_changed", "password_changed", "access_token_refused", "limit_reached",
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(url, port, folder):
    """Nothing of the developer's AWS account: an emulator that does not start must not turn into a deployment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": url,  # of the SAM CLI, and of the functions, which inherit it from the emulator
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "MINISTACK_REGION": REGION,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": folder,
    }


@contextlib.contextmanager
def emulator(program, env, url, log):
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen([program], env=env, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(process, url)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_healthy(process, url):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"the emulator ended with {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"{url}/_ministack/health", timeout=5).close()
            return
        time.sleep(0.1)
    sys.exit("the emulator does not answer")


def emulated(template):
    """The template as MiniStack 1.5.33 can take it. Nothing refers to an alarm."""
    for name, resource in list(template["Resources"].items()):
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            print(f"left out: {name}; the emulator has no alarms over an expression", flush=True)
            del template["Resources"][name]
        elif properties.get("GenerateSecretString", {}).pop("ExcludePunctuation", False):
            print(f"{name} excludes punctuation by name; the emulator ignores ExcludePunctuation", flush=True)
            properties["GenerateSecretString"]["ExcludeCharacters"] = string.punctuation
        elif "GatewayResponses" in properties:
            print(f"the gateway responses of {name} are resources; the emulator ignores them in an API's body", flush=True)
            for kind, response in properties.pop("GatewayResponses").items():
                template["Resources"][name + kind.title().replace("_", "")] = gateway_response(name, kind, response)
    return template


def gateway_response(api, kind, response):
    """A gateway response in SAM's spelling as a resource in CloudFormation's."""
    headers = response.get("ResponseParameters", {}).get("Headers", {})
    properties = {
        "RestApiId": {"Ref": api},
        "ResponseType": kind,
        "ResponseParameters": {f"gatewayresponse.header.{name}": value for name, value in headers.items()},
        "ResponseTemplates": response["ResponseTemplates"],
    }
    if "StatusCode" in response:
        properties["StatusCode"] = str(response["StatusCode"])
    return {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": properties}


def deploy(sam, architecture, env):
    # Beside the binaries, which it names by paths of its own folder.
    template = BUILT.with_name("emulated.yaml")
    template.write_text(yaml_dump(emulated(yaml_parse(BUILT.read_text(encoding="utf-8")))), encoding="utf-8")
    overrides = [f"{name}={value}" for name, value in (PARAMETERS | {"Architecture": architecture}).items()]
    command = [sam, "deploy", "--template-file", template, "--config-file", pathlib.Path("samconfig.toml").absolute(),
               "--stack-name", STACK, "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides", *overrides]
    subprocess.run(command, env=env, check=True)


def client(service, env):
    return boto3.client(
        service, endpoint_url=env["AWS_ENDPOINT_URL"], region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test"
    )


def outputs(env):
    stack = client("cloudformation", env).describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def missing_audit_lines(env, group):
    """The security events that no line in the log group tells of."""
    seen = set()
    for page in client("logs", env).get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            with contextlib.suppress(json.JSONDecodeError, AttributeError):
                seen.add(json.loads(event["message"]).get("event"))
    return AUDITED - seen


def check(ministack, sam, architecture, test):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="latchkey-e2e-") as folder:
        env = environment(url, port, folder)
        log = pathlib.Path(folder, "emulator.log")
        with emulator(ministack, env, url, log):
            deploy(sam, architecture, env)
            described = outputs(env)
            # The host of ApiUrl is Amazon's; the emulator has the same API and stage under a path of its own.
            api = described["ApiUrl"].removeprefix("https://").split(".")[0]
            # A deployment holds the gateway responses of its moment; the stack's may have been made before they were.
            client("apigateway", env).create_deployment(restApiId=api, stageName="PROD")
            base = f"{url}/restapis/{api}/PROD/_user_request_"
            print(f"deployed: {described['ApiUrl']} as {base}", flush=True)
            passed = subprocess.run(test, env=os.environ | {"LATCHKEY_URL": base}).returncode == 0
            missing = missing_audit_lines(env, described["LogGroupName"]) if passed else set()
        if missing:
            print(f"no audit line of: {', '.join(sorted(missing))}", file=sys.stderr)
        if not passed:
            print(log.read_text(encoding="utf-8", errors="replace")[-8000:], file=sys.stderr)
        return passed and not missing


def main(arguments):
    split = arguments.index("--")
    ministack, sam, architecture = arguments[:split]
    sys.exit(0 if check(ministack, sam, architecture, arguments[split + 1:]) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
