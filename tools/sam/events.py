"""Fills a file of events/ with the tokens and ids of a user who has just signed up.

The files have placeholders, and the ids and addresses of nobody. Each invocation gets a user of its own, so that an event that
signs up, signs out or changes the password works every time.
"""

import base64
import json
import pathlib
import re
import secrets
import urllib.error
import urllib.request

EVENTS = pathlib.Path("events")
# What stands in the files.
ORIGIN = "https://app.example.com"
PASSWORD = "plum-kettle-orbit-4172"
USER_ID = "7f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10"
SESSION_ID = "q3Vn0eYk5rT8wZb1XcD6uJm4sLg7hPf2aQi9oRt0yEs"
ACCESS_TOKEN, REFRESH_TOKEN = "REPLACE_WITH_ACCESS_TOKEN", "REPLACE_WITH_REFRESH_TOKEN"
ADDRESS = re.compile(r"\b([a-z]+)@example\.com\b")


def names():
    """Every event, by the name of its file."""
    return sorted(path.stem for path in EVENTS.glob("*.json"))


def function_of(event, functions):
    """The logical id of the function that an event is for: its file is named after the function's package.

    >>> functions = {"MeFunction": {"package": "me"}, "AuthorizerFunction": {"package": "authorizer"},
    ...              "TokenAuthorizerFunction": {"package": "token-authorizer"}}
    >>> [function_of(event, functions) for event in ("me", "me-patch-http", "authorizer-http-2", "token-authorizer")]
    ['MeFunction', 'MeFunction', 'AuthorizerFunction', 'TokenAuthorizerFunction']
    >>> function_of("metadata", functions)
    Traceback (most recent call last):
    SystemExit: no function for metadata: an event is named after one of authorizer, me, token-authorizer
    """
    for name, function in functions.items():
        if event == function["package"] or event.startswith(function["package"] + "-"):
            return name
    packages = ", ".join(sorted(function["package"] for function in functions.values()))
    raise SystemExit(f"no function for {event}: an event is named after one of {packages}")


def settings(event, environment):
    """The settings without which an event is refused: its origin, and cookies if it has one.

    >>> settings("refresh-cookie", {"CORS_ALLOWED_ORIGINS": "https://a.example"})
    {'CORS_ALLOWED_ORIGINS': 'https://a.example,https://app.example.com', 'TOKEN_DELIVERY': 'cookie'}
    >>> settings("me", {"CORS_ALLOWED_ORIGINS": ""})
    {'CORS_ALLOWED_ORIGINS': 'https://app.example.com'}
    """
    origins = [origin for origin in environment.get("CORS_ALLOWED_ORIGINS", "").split(",") if origin and origin != ORIGIN]
    needed = {"CORS_ALLOWED_ORIGINS": ",".join(origins + [ORIGIN])}
    return needed | {"TOKEN_DELIVERY": "cookie"} if "cookie" in event else needed


def filled(event, url, origins=""):
    """The text of an event with new addresses, and with the tokens and ids of their user, unless the event is a signup.

    `origins` are the origins that the service allows.
    """
    text = (EVENTS / f"{event}.json").read_text(encoding="utf-8")
    suffix = secrets.token_hex(4)
    addresses = sorted({found.group(0) for found in ADDRESS.finditer(text)}) or ["ada@example.com"]
    text = ADDRESS.sub(rf"\1-{suffix}@example.com", text)
    if event.split("-")[0] == "signup" or event.startswith("well-known"):
        return text
    origin = origins.split(",")[0]
    sessions = [signed_up(url, ADDRESS.sub(rf"\1-{suffix}@example.com", address), origin) for address in addresses]
    return replaced(text, *sessions[0])


def replaced(text, access, refresh):
    """The text with tokens, and with the ids that the access token has.

    >>> token = "e30." + base64.urlsafe_b64encode(b'{"sub": "u", "sid": "s"}').decode().rstrip("=") + ".x"
    >>> replaced(f"{USER_ID} {SESSION_ID} {ACCESS_TOKEN} {REFRESH_TOKEN}", token, "r") == f"u s {token} r"
    True
    """
    claims = claims_of(access)
    for placeholder, value in [(ACCESS_TOKEN, access), (REFRESH_TOKEN, refresh), (USER_ID, claims["sub"]),
                               (SESSION_ID, claims["sid"])]:
        text = text.replace(placeholder, value)
    return text


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def signed_up(url, address, origin):
    """The access and the refresh token of a new user. With cookie delivery a request has to come from an allowed origin."""
    body = json.dumps({"email": address, "password": PASSWORD}).encode()
    headers = {"Content-Type": "application/json"} | ({"Origin": origin} if origin.startswith("http") else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/auth/signup", body, headers), timeout=30) as answer:
            return tokens(answer.read(), answer.headers.get_all("Set-Cookie") or [])
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{address} cannot sign up at {url}: {error.code} {error.read().decode()}") from None
    except OSError as error:
        raise SystemExit(f"{url} does not answer ({error}): start `make sam-table` in another terminal") from None


def tokens(body, cookies):
    """The tokens of an answer in any spelling and delivery.

    >>> tokens(b'{"access_token": "a", "refresh_token": "r"}', [])
    ('a', 'r')
    >>> tokens(b'{"data": {"accessToken": "a"}}', ["__Host-refresh_token=r; Path=/"])
    ('a', 'r')
    """
    members = dict(all_members(json.loads(body)))
    values = dict(cookie.split(";")[0].split("=", 1) for cookie in cookies)
    cookie = next((value for name, value in values.items() if name.endswith("refresh_token")), None)
    return members["accesstoken"], members.get("refreshtoken") or cookie


def all_members(answer):
    """Every member at any depth, its name in lower case without underscores."""
    for name, value in answer.items():
        yield name.replace("_", "").lower(), value
        if isinstance(value, dict):
            yield from all_members(value)
