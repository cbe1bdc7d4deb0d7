"""The template for `sam local`, made from what `local --outputs` wrote.

`sam local` cannot use template.yaml: it passes `{{resolve:secretsmanager:...}}` on as it is, leaves some `!If` without a value,
and merges the routes of one function and path, of which the authorizer of one wins at random. So every value is a literal here,
and a function whose routes do not all have the same authorizer is two functions.
"""

import os
import pathlib
import struct
import urllib.parse

RUNTIME = "provided.al2023"
MACHINES = {62: "x86_64", 183: "arm64"}  # e_machine, "System V ABI", ELF header
# A container reaches a service on the loopback interface of Docker Desktop's host by this name alone.
HOST_OF_CONTAINERS = "host.docker.internal"
AUTHORIZER, NONE = "Latchkey", "NONE"


def template(outputs, code, architecture, settings=None):
    """The template. `code` is the folder of `sam build`, `settings` replace those of the functions.

    >>> environment = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000", "TOKEN_DELIVERY": "body"}
    >>> function = {"memoryMib": 256, "timeoutSeconds": 10, "environment": environment}
    >>> guard = {"function": "AuthorizerFunction", "headers": ["Authorization"]}
    >>> route = lambda method, guard: {"method": method, "path": "/me", "function": "Me", "authorizer": guard}
    >>> outputs = {"stage": "PROD", "functions": {"Me": function, "AuthorizerFunction": function},
    ...            "routes": [route("GET", guard), route("OPTIONS", None)]}
    >>> made = template(outputs, "../build", "arm64", {"TOKEN_DELIVERY": "cookie", "OTHER": "1"})["Resources"]
    >>> list(made)
    ['Api', 'Me', 'MePublic', 'AuthorizerFunction']
    >>> made["MePublic"]["Properties"]["CodeUri"]
    '../build/Me'
    >>> made["MePublic"]["Properties"]["Environment"]["Variables"]
    {'AWS_ENDPOINT_URL_DYNAMODB': 'http://host.docker.internal:8000', 'TOKEN_DELIVERY': 'cookie'}
    >>> [event["Properties"]["Auth"] for event in made["Me"]["Properties"]["Events"].values()]
    [{'Authorizer': 'Latchkey'}]
    """
    resources = {"Api": api(outputs)}
    for name, function in outputs["functions"].items():
        routes = [route for route in outputs["routes"] if route["function"] == name]
        for part, its_routes in parts(name, routes).items():
            resources[part] = {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Runtime": RUNTIME,
                    "Handler": "bootstrap",
                    "Architectures": [architecture],
                    "CodeUri": f"{code}/{name}",
                    "MemorySize": function["memoryMib"],
                    "Timeout": function["timeoutSeconds"],
                    "Environment": {"Variables": variables(function["environment"], settings or {})},
                    "Events": {f"Route{number}": event(route) for number, route in enumerate(its_routes)},
                },
            }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": "Made by tools/sam. It holds the secrets of a local run.",
        "Resources": resources,
    }


def parts(name, routes):
    """The routes by the function that SAM gets for them: the public ones apart, if others have an authorizer.

    >>> guarded, public = {"authorizer": {}}, {"authorizer": None}
    >>> parts("F", [guarded, public])
    {'F': [{'authorizer': {}}], 'FPublic': [{'authorizer': None}]}
    >>> parts("F", [public, public])
    {'F': [{'authorizer': None}, {'authorizer': None}]}
    >>> parts("F", [])
    {'F': []}
    """
    guarded = [route for route in routes if route["authorizer"] is not None]
    public = [route for route in routes if route["authorizer"] is None]
    return {name: guarded, f"{name}Public": public} if guarded and public else {name: routes}


def event(route):
    authorizer = NONE if route["authorizer"] is None else AUTHORIZER
    properties = {"RestApiId": {"Ref": "Api"}, "Path": route["path"], "Method": route["method"],
                  "Auth": {"Authorizer": authorizer}}
    return {"Type": "Api", "Properties": properties}


def api(outputs):
    """The API with its authorizer. The routes name it, so that there is none by default."""
    guards = [route["authorizer"] for route in outputs["routes"] if route["authorizer"] is not None]
    guard = guards[0]
    if any(other != guard for other in guards):
        raise SystemExit("the routes have several authorizers, of which SAM would be given one")
    authorizer = {
        "FunctionPayloadType": "REQUEST",
        "FunctionArn": {"Fn::GetAtt": [guard["function"], "Arn"]},
        "Identity": {"Headers": guard["headers"], "ReauthorizeEvery": 0},
    }
    return {
        "Type": "AWS::Serverless::Api",
        "Properties": {"StageName": outputs["stage"], "Auth": {"Authorizers": {AUTHORIZER: authorizer}}},
    }


def variables(environment, settings):
    """The environment of a function in a container: it has no setting that the function does not read."""
    replaced = {name: settings.get(name, value) for name, value in environment.items()}
    endpoint = environment["AWS_ENDPOINT_URL_DYNAMODB"]
    return replaced | {"AWS_ENDPOINT_URL_DYNAMODB": reached_from_a_container(endpoint)}


def reached_from_a_container(url):
    """The URL by which a container reaches `url` of this machine.

    >>> reached_from_a_container("http://172.17.0.1:3200")
    'http://172.17.0.1:3200'
    >>> reached_from_a_container("http://[::1]:3200")
    'http://host.docker.internal:3200'
    """
    parsed = urllib.parse.urlsplit(url)
    if not is_loopback(parsed.hostname):
        return url
    return parsed._replace(netloc=f"{HOST_OF_CONTAINERS}:{parsed.port}").geturl()


def is_loopback(host):
    return host in ("localhost", "::1") or host.startswith("127.")


def architecture_of(build, functions):
    """What the binaries of `sam build` are for, which the stack's default need not be."""
    found = set()
    for name in functions:
        try:
            header = (build / name / "bootstrap").open("rb").read(20)
        except FileNotFoundError:
            raise SystemExit(f"{build} has no {name}: run `make build` again") from None
        found.add(MACHINES.get(struct.unpack_from("<H", header, 18)[0], "unknown"))
    if len(found) != 1:
        raise SystemExit(f"the functions in {build} are for different machines: {', '.join(sorted(found))}")
    return found.pop()


def write(path, text):
    """Writes a file that its owner alone can read: there are secrets or tokens in it."""
    path = pathlib.Path(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
