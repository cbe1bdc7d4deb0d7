"""Tokens that Latchkey's authorizer has renewed go into the headers of the answer."""

import functools


def with_renewed_tokens(handler):
    """Decorates a handler that answers with a statusCode."""

    @functools.wraps(handler)
    def wrapped(event, context):
        answer = handler(event, context)
        authorizer = event["requestContext"].get("authorizer") or {}
        caller = authorizer.get("lambda", authorizer)  # payload 2.0, else 1.0
        access, refresh = caller.get("newAccessToken"), caller.get("newRefreshToken")
        if not access and not refresh:
            return answer
        headers = {k: v for k, v in (answer.get("headers") or {}).items() if k.lower() != "cache-control"}
        headers["Cache-Control"] = "no-store"
        if access:
            headers["X-New-Token"] = headers["X-New-Access-Token"] = access
        if refresh:
            headers["X-New-Refresh-Token"] = refresh
        return {**answer, "headers": headers}

    return wrapped
