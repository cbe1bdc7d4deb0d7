"""Deploys what `sam build` made into an AWS emulator, and runs the scenarios of crates/local/tests/api over it: first as it is,
then the ones about cookies, after an update of the stack.

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
# Beside the binaries, which it names by paths of its own folder.
EMULATED = BUILT.with_name("emulated.yaml")
# What crates/local/tests/api/scenarios/world.rs expects of a deployment.
PARAMETERS = {
    "CorsAllowedOrigins": "https://app.example.com,http://localhost:5173",
    "RefreshGrace": "4s",
}
# The update: cookies, and whatever is made only if a parameter asks for it.
CHANGED = PARAMETERS | {
    "TokenDelivery": "cookie",
    "AccessLog": "on",
    "Tracing": "Active",
    "AlarmEmail": "operator@example.com",
    "WafRateLimit": "10000",
    "DomainName": "id.example.com",
    "DomainCertificateArn": f"arn:aws:acm:{REGION}:000000000000:certificate/8f1c2b7e-0d5a-4c3e-9b6f-1a2d3c4e5f60",
    "DomainBasePath": "api/v1",
    "HostedZoneId": "Z0123456789",
}
# What is deployed, and which scenarios run over it.
DEPLOYMENTS = [
    (PARAMETERS, ["scenarios::", "--skip", "scenarios::cookies::"]),
    (CHANGED, ["scenarios::cookies::"]),
]
# What breaks each of the template's rules, and what CloudFormation then says.
REFUSED = [
    ({"Algorithm": "ES256"}, "RS256, ES256 and EdDSA need PrivateKeySecretArn"),
    ({"TokenDelivery": "cookie", "CorsAllowedOrigins": "*"}, "cookies need the origins listed in CorsAllowedOrigins, not *"),
    ({"DomainName": "id.example.com"}, "DomainName needs DomainCertificateArn"),
]
# Nothing refers to them.
UNKNOWN_TO_THE_EMULATOR = {"AWS::Route53::RecordSetGroup", "AWS::WAFv2::WebACLAssociation"}
# What the suite makes happen must have left its line, from whichever function writes it.
AUDITED = {
    "signup", "login", "refresh_token_rotated", "refresh_token_replayed", "refresh_token_reused", "logout",
    "session_ended", "sessions_revoked", "profile_changed", "password_changed", "access_token_refused", "limit_reached",
    "cross_site_refused",
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
    """The template as MiniStack 1.5.33 can take it."""
    for name, resource in list(template["Resources"].items()):
        properties = resource.get("Properties", {})
        if resource["Type"] in UNKNOWN_TO_THE_EMULATOR:
            print(f"left out: {name}; the emulator does not know {resource['Type']}", flush=True)
            del template["Resources"][name]
        elif resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            print(f"{name} watches its first metric alone; the emulator has no alarms over an expression", flush=True)
            first = next(metric["MetricStat"] for metric in properties.pop("Metrics") if "MetricStat" in metric)
            properties |= first["Metric"] | {"Statistic": first["Stat"], "Period": first["Period"]}
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


def deploy(sam, parameters, env, **run):
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    command = [sam, "deploy", "--template-file", EMULATED, "--config-file", pathlib.Path("samconfig.toml").absolute(),
               "--stack-name", STACK, "--no-confirm-changeset", "--no-progressbar", "--parameter-overrides", *overrides]
    return subprocess.run(command, env=env, **run)


def refused(sam, parameters, words, env):
    """Whether a deployment is refused for this reason."""
    tried = deploy(sam, parameters, env, capture_output=True, text=True)
    if tried.returncode == 0 or words not in tried.stderr:
        print(f"not refused: {parameters}\n{tried.stdout}{tried.stderr}", file=sys.stderr)
        return False
    return True


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


def base_url(url, env):
    """Where the emulator has the API: the host of ApiUrl is Amazon's, and the emulator's is a path of its own."""
    api = outputs(env)["ApiUrl"].removeprefix("https://").split(".")[0]
    # A deployment holds the gateway responses of its moment; the stack's may have been made before they were.
    client("apigateway", env).create_deployment(restApiId=api, stageName="PROD")
    return f"{url}/restapis/{api}/PROD/_user_request_"


def check(ministack, sam, architecture, test):
    EMULATED.write_text(yaml_dump(emulated(yaml_parse(BUILT.read_text(encoding="utf-8")))), encoding="utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="latchkey-e2e-") as folder:
        env = environment(url, port, folder)
        log = pathlib.Path(folder, "emulator.log")
        passed, missing = True, set()
        with emulator(ministack, env, url, log):
            # First: an update would keep the parameters that it does not name.
            passed &= all([refused(sam, PARAMETERS | wrong, words, env) for wrong, words in REFUSED])
            for parameters, scenarios in DEPLOYMENTS:
                deploy(sam, parameters | {"Architecture": architecture}, env, check=True)
                base = base_url(url, env)
                print(f"deployed as {base}", flush=True)
                passed &= subprocess.run([*test, *scenarios], env=os.environ | {"LATCHKEY_URL": base}).returncode == 0
            if passed:
                missing = missing_audit_lines(env, outputs(env)["LogGroupName"])
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
