"""What a schema cannot say: who signs in, which addresses and passwords are taken, and what else must hold.

Loaded by Schemathesis (schemathesis.toml).
"""

import itertools
import json
import os
import string
import unicodedata
import urllib.request

import jsonschema_rs
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation

URL = os.environ["LATCHKEY_URL"]
PASSWORD = "plum-kettle-orbit-4172"

# Addresses ----------------------------------------------------------------------------------------------------------
# Valid addresses are drawn from what everybody takes; what only looks like one is left to the negative data.
_atom = st.text(string.ascii_letters + string.digits + "_äéñ", min_size=1, max_size=12)
_label = st.text(string.ascii_lowercase + "äéñ", min_size=1, max_size=12)
schemathesis.openapi.format(
    "idn-email", st.builds("{}.{}@{}.example".format, _atom, _atom, _label)
)
# A password that the estimator takes for hard to guess: sixteen letters and digits at random.
schemathesis.openapi.format(
    "password", st.text(string.ascii_letters + string.digits, min_size=16, max_size=24).filter(lambda text: len(set(text)) > 10)
)

_users = itertools.count()


@schemathesis.auth(refresh_interval=None).apply_to(path_regex="^/auth/(me|password|sessions|revoke-all)")
class NewUser:
    """Every request that needs an access token comes from a user of its own: many of them end their sessions."""

    def get(self, case, context):
        body = {"email": f"attacker{next(_users)}@auth.example", "password": PASSWORD}
        request = urllib.request.Request(
            f"{URL}/auth/signup", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["accessToken"]

    def set(self, case, token, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook.apply_to(path="/auth/password")
def map_body(context, body):
    """Nobody would come upon the password of a new user."""
    if isinstance(body, dict) and isinstance(body.get("currentPassword"), str):
        return {**body, "currentPassword": PASSWORD}
    return body


@schemathesis.hook
def filter_case(context, case):
    """Schemathesis takes every text for a violation of a format that JSON Schema does not know, as `password` is, while the
    service takes any that is long enough and hard to guess: a body is invalid when a validator says so.
    """
    invalid = [place for place, component in case.meta.components.items() if component.mode.is_negative]
    if not invalid:
        return _taken(case.operation.path, case.body)
    if invalid != [ParameterLocation.BODY] or not isinstance(case.body, dict):
        return True
    return not _validator(case.operation).is_valid(case.body)


def _taken(path, body):
    """What no schema can say of a valid body."""
    if path in ("/auth/refresh", "/auth/logout"):
        # It may be left out where the token comes another way.
        return isinstance(body, dict)
    if not isinstance(body, dict):
        return True
    names = (body.get(name) or "" for name in ("displayName", "firstName", "lastName"))
    same = path == "/auth/password" and body["newPassword"] == body["currentPassword"]
    return not same and all(len(unicodedata.normalize("NFC", name.strip())) <= 128 for name in names)


def _validator(operation):
    described = operation.schema.raw_schema
    body = described["paths"][operation.path][operation.method.lower()]["requestBody"]
    schema = {**body["content"]["application/json"]["schema"], "components": described["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


# Checks -------------------------------------------------------------------------------------------------------------
@schemathesis.check
def protected_in_browsers(ctx, response, case):
    """Every answer says how a browser may use it."""
    if response.request.method == "OPTIONS":
        return
    for name in ["content-security-policy", "strict-transport-security", "x-content-type-options", "cache-control"]:
        assert response.headers.get(name), f"{name} is missing"


@schemathesis.check
def no_route_is_not_found(ctx, response, case):
    """A method that is not described does nothing: 404, or 401 where there is a route that is guarded."""
    methods = {method.upper() for method in case.operation.schema[case.operation.path]}
    if response.request.method not in methods | {"OPTIONS"}:
        assert response.status_code in (401, 403, 404), f"{response.request.method}: {response.status_code}"


@schemathesis.check
def nothing_internal_shows(ctx, response, case):
    """No error tells of the table, of files or of panics."""
    text = response.text.lower()
    for word in ["dynamodb", "panicked", ".rs:", "conditionalcheck", "argon2", "stack backtrace", "latchkey-table"]:
        assert word not in text, f"{word!r} in an answer"
