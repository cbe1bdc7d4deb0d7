"""What must hold of an example's template as CloudFormation gets it, read from standard input (see transform.py).

- no authorizer keeps an answer, and every route has one
- API Gateway may call the authorizer of each API: without the permission every request is a 500
- no policy names every action or every resource
- no variable of a function holds a secret in clear
"""

import json
import sys

from check_transformed import of_type, operations, permissions, secrets

APIS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")


def authorizers(template):
    """Whether each API has its routes guarded, and may call the authorizer that guards them."""
    apis = [api for kind in APIS for api in of_type(template, kind)]
    if not apis:
        yield "there is no API"
    callers = [json.dumps(permission.get("SourceArn")) for _, permission in of_type(template, "AWS::Lambda::Permission")]
    for name, api in apis:
        if not any("/authorizers/*" in caller and f'{{"Ref": "{name}"}}' in caller for caller in callers):
            yield f"{name} may not call its authorizer"
        if "Body" in api:
            yield from operations(api["Body"])
    for _, route in of_type(template, "AWS::ApiGatewayV2::Route"):
        if route["AuthorizationType"] != "CUSTOM":
            yield f"{route['RouteKey']} is open"


def faults(template):
    """Everything that is wrong with a transformed template, one line each."""
    return [fault for check in (authorizers, permissions, secrets) for fault in check(template)]


if __name__ == "__main__":
    found = faults(json.load(sys.stdin))
    for fault in found:
        print(fault, file=sys.stderr)
    sys.exit(bool(found))
