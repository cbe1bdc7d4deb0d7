"""Prints what a deployment costs, in Markdown, from three files beside this one:

capacity.json  what each operation asks of the table, as the test `capacity` measures and asserts it
prices.json    list prices, with their sources
usage.json     what users do in a month, and what of a function's time is billed: assumptions

A function's memory is read from template.yaml. Usage: cost.py [--check FILE]: whether FILE
has these very tables.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
MILLION = 1_000_000
GIGABYTE = 1e9
# An operation of your own API behind the authorizer: its own request and function are paid with any authorizer.
AUTHORIZED = "authorized request"
ROWS = [
    "signup",
    "login",
    "login, wrong password",
    "refresh, rotate",
    "refresh, replay",
    "refresh, reuse",
    "logout",
    "me",
    AUTHORIZED,
]


def load(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def memory_sizes(template):
    """The memory of each function in MB, by package.

    >>> memory_sizes('''
    ... Globals:
    ...   Function:
    ...     MemorySize: 256
    ... Resources:
    ...   LoginFunction:
    ...     Properties:
    ...       MemorySize: 1024
    ...   WellKnownFunction:
    ...     Properties:
    ...       Timeout: 3
    ... ''')
    {'login': 1024, 'well-known': 256}
    """
    default = int(re.search(r"^    MemorySize: (\d+)", template, re.M)[1])
    sizes = {}
    for name, body in re.findall(r"^  (\w+)Function:\n((?:    .*\n|\s*\n)*)", template, re.M):
        own = re.search(r"^      MemorySize: (\d+)", body, re.M)
        package = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        sizes[package] = int(own[1]) if own else default
    return sizes


def of_cognito(users, plan):
    """Monthly price of so many active users.

    >>> of_cognito(10_000, {"free_users": 10_000, "tiers": [[None, 0.015]]})
    0.0
    >>> of_cognito(100_000, {"free_users": 10_000, "tiers": [[None, 0.015]]})
    1350.0
    >>> round(of_cognito(200_000, {"free_users": 10_000, "tiers": [[100_000, 0.0055], [None, 0.0046]]}), 2)
    955.0
    """
    dollars, paid_to = 0.0, plan["free_users"]
    for end, price in plan["tiers"]:
        end = users if end is None else min(users, end)
        dollars += max(0, end - paid_to) * price
        paid_to = max(paid_to, end)
    return dollars


class Deployment:
    """Prices of single requests.

    >>> units = {"read_units": 1, "write_units": 0}, {"read_units": 1, "write_units": 2}
    >>> capacity = {"me": {"authorizer": units[0], "me": units[1]}}
    >>> prices = {
    ...     "dynamodb": {"million_write_units": 2.0, "million_read_units": 1.0},
    ...     "lambda": {"million_requests": 0.25, "gigabyte_second": {"arm64": 0.00001}},
    ...     "api_gateway": {"million_requests": {"rest": 3.5, "http": 1.0}},
    ...     "cloudwatch": {"gigabyte_logs": 0.5},
    ... }
    >>> usage = {
    ...     "architecture": "arm64",
    ...     "billed_milliseconds": {"me": 10, "authorizer": 10},
    ...     "silent": ["authorizer"],
    ...     "log_bytes": {"platform": 1000, "audit_line": 1000},
    ... }
    >>> one = Deployment(capacity, prices, usage, {"me": 1024, "authorizer": 512})
    >>> [round(dollars * MILLION, 9) for dollars in one.parts("me", "http")]
    [6.0, 0.65, 1.0, 1.5]
    >>> [round(dollars * MILLION, 9) for dollars in one.parts("authorized request", "http")]
    [1.0, 0.3, 0, 0.5]
    """

    def __init__(self, capacity, prices, usage, memory):
        self.capacity, self.prices, self.usage, self.memory = capacity, prices, usage, memory

    def functions(self, operation):
        if operation == AUTHORIZED:
            return {"authorizer": self.capacity["me"]["authorizer"]}
        return self.capacity[operation]

    def parts(self, operation, gateway):
        """Dollars of one request: DynamoDB, Lambda, API Gateway, logs."""
        functions = self.functions(operation)
        through = 0 if operation == AUTHORIZED else self.prices["api_gateway"]["million_requests"][gateway] / MILLION
        return (
            sum(self.table(units) for units in functions.values()),
            sum(self.invocation(package) for package in functions),
            through,
            sum(self.logs(package) for package in functions),
        )

    def table(self, units):
        price = self.prices["dynamodb"]
        writes = units["write_units"] * price["million_write_units"]
        return (writes + units["read_units"] * price["million_read_units"]) / MILLION

    def invocation(self, package):
        price = self.prices["lambda"]
        gigabyte_seconds = self.memory[package] / 1024 * self.usage["billed_milliseconds"][package] / 1000
        duration = gigabyte_seconds * price["gigabyte_second"][self.usage["architecture"]]
        return price["million_requests"] / MILLION + duration

    def logs(self, package):
        size = self.usage["log_bytes"]
        written = size["platform"] + (0 if package in self.usage["silent"] else size["audit_line"])
        return written / GIGABYTE * self.prices["cloudwatch"]["gigabyte_logs"]

    def standing(self):
        """Dollars a month that no request causes: the stored table and the metrics."""
        usage, price = self.usage, self.prices["dynamodb"]
        stored = usage["stored_bytes"]
        each = stored["user"] + stored["sessions_per_user"] * stored["session"]
        gigabytes = usage["monthly_users"] * each / GIGABYTE
        kept = gigabytes * (price["gigabyte_month"] + price["gigabyte_month_point_in_time_recovery"])
        return kept, usage["metrics"] * self.prices["cloudwatch"]["metric_month"]

    def month(self, gateway):
        """Dollars a month by service, for all users."""
        total = [0.0, 0.0, 0.0, 0.0]
        for operation, times in self.usage["per_user_and_month"].items():
            for index, dollars in enumerate(self.parts(operation, gateway)):
                total[index] += dollars * times * self.usage["monthly_users"]
        kept, metrics = self.standing()
        return total[0] + kept, total[1], total[2], total[3] + metrics


def capacity_table(capacity):
    """One line for each operation; a function's own figures where two functions answer."""
    yield "| operation and outcome | requests | read units | write units |"
    yield "|---|---|---:|---:|"
    for operation, functions in capacity.items():
        requests = "; ".join(f"{package}: {counted(one['requests'])}" for package, one in functions.items())
        reads = sum(one["read_units"] for one in functions.values())
        writes = sum(one["write_units"] for one in functions.values())
        yield f"| {operation} | {requests or 'none'} | {reads:g} | {writes:g} |"


def counted(requests):
    """
    >>> counted({"GetItem": 1, "UpdateItem": 2})
    'GetItem, 2 UpdateItem'
    """
    return ", ".join(name if times == 1 else f"{times} {name}" for name, times in requests.items())


def price_table(deployment):
    yield "| a million of | DynamoDB | Lambda | logs | API Gateway REST | in all, REST | in all, HTTP API |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for operation in ROWS:
        table, functions, rest, logs = (MILLION * dollars for dollars in deployment.parts(operation, "rest"))
        parts = f"{table:.3f} | {functions:.2f} | {logs:.2f} | {rest:.2f}"
        http = MILLION * sum(deployment.parts(operation, "http"))
        yield f"| {operation} | {parts} | {table + functions + logs + rest:.2f} | {http:.2f} |"


def month_table(deployment, cognito):
    users = deployment.usage["monthly_users"]
    yield f"| {users:,} users, a month | DynamoDB | Lambda | API Gateway | CloudWatch | in all | for a user |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for gateway, name in (("rest", "REST API"), ("http", "HTTP API")):
        parts = deployment.month(gateway)
        line = " | ".join(f"{dollars:,.0f}" for dollars in (*parts, sum(parts)))
        yield f"| Latchkey, {name} | {line} | {sum(parts) / users:.5f} |"
    for plan in ("lite", "essentials"):
        dollars = of_cognito(users, cognito[plan])
        yield f"| Amazon Cognito {plan.capitalize()} | | | | | {dollars:,.0f} | {dollars / users:.5f} |"


def tables():
    capacity, prices, usage = load("capacity.json"), load("prices.json"), load("usage.json")
    memory = memory_sizes((HERE / "../../template.yaml").read_text(encoding="utf-8"))
    deployment = Deployment(capacity, prices, usage, memory)
    yield from capacity_table(capacity)
    yield from ("", f"US dollars, {prices['region']}.", "")
    yield from price_table(deployment)
    yield ""
    yield from month_table(deployment, prices["cognito"])


def main(arguments):
    if arguments[:1] != ["--check"]:
        print(*tables(), sep="\n")
        return
    written = Path(arguments[1]).read_text(encoding="utf-8").splitlines()
    missing = [line for line in tables() if line not in written]
    if missing:
        sys.exit("\n".join([f"{arguments[1]} is behind `make cost`; it lacks:", *missing]))


if __name__ == "__main__":
    main(sys.argv[1:])
