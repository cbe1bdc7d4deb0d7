"""What must hold of a template as CloudFormation gets it, read from standard input (see transform.py).

- no authorizer keeps an answer: with a cache a logout would not take effect on the next request
- every route has the authorizer, but for those that are public on purpose
- API Gateway may call the authorizer of each API: without the permission every request is a 500
- no policy of a function names every action or every resource
- no variable of a function holds a secret in clear
"""

import json
import sys

PUBLIC = {
    ("post", "/auth/signup"), ("post", "/auth/register"), ("post", "/auth/login"), ("post", "/auth/refresh"),
    ("post", "/auth/logout"), ("get", "/.well-known/jwks.json"), ("get", "/.well-known/openid-configuration"),
}


APIS = {"AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"}


def calls_authorizer(resource, api):
    """Whether `resource` lets `api` call an authorizer."""
    if resource["Type"] != "AWS::Lambda::Permission":
        return False
    source = json.dumps(resource["Properties"].get("SourceArn"))
    return "/authorizers/*" in source and f'{{"Ref": "{api}"}}' in source


def faults(template):
    resources = template["Resources"]
    apis = {name: r["Properties"] for name, r in resources.items() if r["Type"] in APIS}
    if not apis:
        yield "there is no API"
    for name in apis:
        if not any(calls_authorizer(r, name) for r in resources.values()):
            yield f"{name} may not call its authorizer"
    for resource in resources.values():
        if resource["Type"] == "AWS::ApiGatewayV2::Route" and resource["Properties"]["AuthorizationType"] != "CUSTOM":
            yield f"{resource['Properties']['RouteKey']} is open"
    for body in [api["Body"] for api in apis.values() if "Body" in api]:
        schemes = body.get("securityDefinitions") or body["components"]["securitySchemes"]
        for name, scheme in schemes.items():
            ttl = scheme["x-amazon-apigateway-authorizer"].get("authorizerResultTtlInSeconds")
            if ttl != 0:
                yield f"the authorizer {name} keeps its answers for {ttl} s"
        for path, methods in body["paths"].items():
            for method, operation in methods.items():
                public = (method, path) in PUBLIC or method == "options"
                guarded = any(name in schemes for security in operation.get("security", []) for name in security)
                if public == guarded:
                    yield f"{method} {path} is {'guarded' if guarded else 'open'}"
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        for policy in properties.get("Policies", []) if resource["Type"] == "AWS::IAM::Role" else []:
            for statement in policy["PolicyDocument"]["Statement"]:
                if "*" in json.dumps([statement["Action"], statement["Resource"]]):
                    yield f"a policy of {name} has a wildcard"
        variables = properties.get("Environment", {}).get("Variables", {})
        for variable, value in variables.items():
            if ("SECRET" in variable or "PRIVATE" in variable) and "resolve:secretsmanager" not in json.dumps(value):
                yield f"{name} has {variable} in clear"


found = list(faults(json.load(sys.stdin)))
for fault in found:
    print(fault, file=sys.stderr)
sys.exit(bool(found))
