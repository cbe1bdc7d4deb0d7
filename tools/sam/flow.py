"""What a client of `sam local start-api` does, and the status that it gets for it."""

import json
import sys
import urllib.error
import urllib.request

import events

ORIGIN = events.ORIGIN
PASSWORD, NEW_PASSWORD = events.PASSWORD, "Lantern-Quartz-Meadow"
# SAM's own answers, where API Gateway has the template's gateway responses (docs/sam-local.md).
REFUSED_TOKEN, NO_ROUTE = 502, 403


class Client:
    """Sends requests and compares the status of each answer."""

    def __init__(self, url):
        self.url = url
        self.requests = 0

    def send(self, expected, method, path, body=None, token=None, headers=None):
        """The JSON of the answer, if there is any."""
        headers = {"Content-Type": "application/json", "Origin": ORIGIN} | (headers or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, text, allowed = answer.status, answer.read(), answer.headers["Access-Control-Allow-Origin"]
        except urllib.error.HTTPError as error:
            status, text, allowed = error.code, error.read(), None
        if status != expected:
            sys.exit(f"{method} {path}: {status}, not {expected}: {text.decode(errors='replace')}")
        if status < 300 and allowed != ORIGIN:
            sys.exit(f"{method} {path}: no CORS for {ORIGIN}")
        self.requests += 1
        return json.loads(text) if text.strip() else None


def walk(url, routes):
    """The whole flow of one user."""
    client = Client(url)
    preflight(client, routes)
    credentials = {"email": "flow@example.com", "password": PASSWORD}
    client.send(201, "POST", "/auth/signup", credentials)
    client.send(409, "POST", "/auth/signup", credentials)
    client.send(401, "POST", "/auth/login", credentials | {"password": "wrong"})
    session = client.send(200, "POST", "/auth/login", credentials)
    access = session["accessToken"]
    protected(client, routes)
    client.send(200, "GET", "/auth/me", token=access)
    client.send(200, "PATCH", "/auth/me", {"displayName": "Flow"}, token=access)
    session = client.send(200, "POST", "/auth/refresh", {"refreshToken": session["refreshToken"]})
    access = session["accessToken"]
    listed = client.send(200, "GET", "/auth/sessions", token=access)["sessions"]
    other = next(entry["sessionId"] for entry in listed if not entry["current"])
    client.send(204, "DELETE", f"/auth/sessions/{other}", token=access)
    client.send(204, "POST", "/auth/logout", {"refreshToken": session["refreshToken"]})
    client.send(REFUSED_TOKEN, "GET", "/auth/me", token=access)
    client.send(401, "POST", "/auth/refresh", {"refreshToken": session["refreshToken"]})
    access = client.send(200, "POST", "/auth/login", credentials)["accessToken"]
    client.send(200, "POST", "/auth/password", {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}, token=access)
    client.send(401, "POST", "/auth/login", credentials)
    access = client.send(200, "POST", "/auth/login", credentials | {"password": NEW_PASSWORD})["accessToken"]
    client.send(200, "POST", "/auth/revoke-all", token=access)
    client.send(REFUSED_TOKEN, "GET", "/auth/me", token=access)
    client.send(200, "GET", "/.well-known/jwks.json")
    client.send(NO_ROUTE, "GET", "/auth/nothing")
    print(f"the flow of a client: {client.requests} requests")


def preflight(client, routes):
    """Every preflight is answered without a token."""
    for route in routes:
        if route["method"] == "OPTIONS":
            asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
            client.send(200, "OPTIONS", path_of(route), headers=asked)


def protected(client, routes):
    """Every protected route refuses a request without a token, and with a bad one."""
    for route in routes:
        if route["authorizer"] is not None:
            client.send(401, route["method"], path_of(route), body={})
            client.send(REFUSED_TOKEN, route["method"], path_of(route), body={}, token="bad")


def path_of(route):
    """The path of a route, with something for its parameters.

    >>> path_of({"path": "/auth/sessions/{sessionId}"})
    '/auth/sessions/x'
    """
    head, brace, _ = route["path"].partition("{")
    return head + "x" if brace else head
