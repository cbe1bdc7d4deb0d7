"""An authorizer on PyJWT: the key is read once, at the start."""

import os

import jwt

ALGORITHM = os.environ["JWT_ALGORITHM"]
ISSUER = os.environ["JWT_ISSUER"]
AUDIENCE = os.environ["JWT_AUDIENCE"]
KEY = jwt.get_algorithm_by_name(ALGORITHM).prepare_key(
    os.environ["JWT_SECRET" if ALGORITHM == "HS256" else "JWT_PUBLIC_KEY"]
)
OPTIONS = {"require": ["exp", "iss", "aud", "sub", "sid"]}


def handler(event, _context):
    claims = verify(event)
    arn, stage = event["methodArn"].split("/")[:2]
    context = {"userId": claims["sub"], "sessionId": claims["sid"], "email": claims["email"]}
    if claims.get("name"):
        context["name"] = claims["name"]
    return {
        "principalId": claims["sub"],
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{arn}/{stage}/*"}],
        },
        "context": context,
    }


def verify(event):
    scheme, _, token = event["headers"].get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Exception("Unauthorized")
    try:
        decoded = jwt.decode_complete(
            token, KEY, algorithms=[ALGORITHM], issuer=ISSUER, audience=AUDIENCE, options=OPTIONS
        )
    except jwt.PyJWTError:
        raise Exception("Unauthorized") from None
    if decoded["header"].get("typ") != "at+jwt":
        raise Exception("Unauthorized")
    return decoded["payload"]
