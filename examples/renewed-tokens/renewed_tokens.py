"""Tokens that Latchkey's authorizer has renewed go into the headers of the answer."""

import functools

NAMES = ("X-New-Token", "X-New-Access-Token", "X-New-Refresh-Token")


def with_renewed_tokens(handler):
    """Decorates a handler that answers with a statusCode."""

    @functools.wraps(handler)
    def wrapped(event, context):
        given = handler(event, context)
        authorizer = event["requestContext"].get("authorizer") or {}
        caller = authorizer.get("lambda", authorizer)  # payload 2.0, else 1.0
        access, refresh = caller.get("newAccessToken"), caller.get("newRefreshToken")
        cookie = caller.get("newRefreshCookie")
        if not access:
            return given
        answer = {**given, "headers": dict(given.get("headers") or {})}
        if given.get("multiValueHeaders"):
            answer["multiValueHeaders"] = dict(given["multiValueHeaders"])
        put(answer, "Cache-Control", "no-store")
        put(answer, "Pragma", "no-cache")
        put(answer, "X-New-Token", access)
        put(answer, "X-New-Access-Token", access)
        if refresh:
            put(answer, "X-New-Refresh-Token", refresh)
        expose(answer)
        if cookie and event.get("version") == "2.0":
            answer["cookies"] = [*(answer.get("cookies") or []), cookie]
        elif cookie:
            cookies = dict.fromkeys([*take(answer, "Set-Cookie"), cookie])
            answer["multiValueHeaders"] = {**(answer.get("multiValueHeaders") or {}), "Set-Cookie": list(cookies)}
        return answer

    return wrapped


def expose(answer):
    """A script of another origin reads only what is exposed to it. An HTTP API with CORS rules exposes what these say."""
    if not find(answer, "Access-Control-Allow-Origin"):
        return
    listed = ",".join(take(answer, "Access-Control-Expose-Headers")).split(",")
    names = [name.strip() for name in listed if name.strip()]
    known = {name.lower() for name in names}
    names += [name for name in NAMES if name.lower() not in known]
    answer["headers"]["Access-Control-Expose-Headers"] = ", ".join(names)


def put(answer, name, value):
    take(answer, name)
    answer["headers"][name] = value


def take(answer, name):
    """The values of a header, which the answer has no longer."""
    values = []
    for fields, key in find(answer, name):
        value = fields.pop(key)
        values += value if isinstance(value, list) else [value]
    return values


def find(answer, name):
    """Where a header is, in any case of its name: API Gateway merges both fields."""
    both = (answer.get("multiValueHeaders") or {}, answer["headers"])
    return [(fields, key) for fields in both for key in fields if key.lower() == name.lower()]
