import os

import jwt

ISSUER = os.environ["JWT_ISSUER"]  # https://auth.example.com
AUDIENCE = os.environ["JWT_AUDIENCE"]  # urn:latchkey:api
ALGORITHM = os.environ["JWT_ALGORITHM"]  # RS256, ES256 or EdDSA, never what the token says
KEYS = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")
LEEWAY = 5  # seconds: PyJWT rejects a token that was issued in the future, by this machine's clock


def verify(token):
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    key = KEYS.get_signing_key_from_jwt(token)
    required = {"require": ["exp", "iss", "aud", "sub", "sid"]}
    return jwt.decode(
        token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER, leeway=LEEWAY, options=required
    )
