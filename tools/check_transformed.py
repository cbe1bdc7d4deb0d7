"""What must hold of the template as CloudFormation gets it, read from standard input (see transform.py).

- no authorizer keeps an answer: with a cache a logout would not take effect on the next request
- every route has the authorizer, but for those that are public on purpose
- no policy of a function names every action or every resource
- no variable of a function holds a secret in clear
"""

import json
import sys

PUBLIC = {
    ("post", "/auth/signup"), ("post", "/auth/register"), ("post", "/auth/login"), ("post", "/auth/refresh"),
    ("post", "/auth/logout"), ("get", "/.well-known/jwks.json"), ("get", "/.well-known/openid-configuration"),
}


def faults(template):
    resources = template["Resources"]
    apis = [r for r in resources.values() if r["Type"] == "AWS::ApiGateway::RestApi"]
    if not apis:
        yield "there is no REST API"
    for api in apis:
        body = api["Properties"]["Body"]
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
