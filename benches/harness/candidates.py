"""What is measured: how each process is started, what it is asked, and what it must answer."""

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from process import Process
from world import NODE_RIC, PASSWORD, PEERS, PYTHON, ROOT, World, body_of, event

ALGORITHMS = ("HS256", "EdDSA", "ES256", "RS256")


@dataclass
class Candidate:
    """One line of the tables."""

    name: str
    command: list[str]
    environment: dict[str, str]
    # Makes the conversation of one process: yields events and is sent the answers.
    talk: Callable[[], Iterator[bytes]]
    # Hashing passwords: fewer invocations.
    heavy: bool = False
    # One of ours, in the template's memory.
    function: str | None = None
    # Where its code is.
    folder: Path | None = None

    def start(self) -> Process:
        return Process(self.command, self.environment, self.folder)


def candidates(world: World) -> list[Candidate]:
    return [*floor(world), *authorizers(world), *functions(world), *peers(world)]


def floor(world: World) -> Iterator[Candidate]:
    echo = world.authorizer_event("HS256")
    yield Candidate("echo", world.program("echo"), world.lambda_environment("echo"), same(echo, is_echo(echo)))
    environment = world.lambda_environment("table-calls") | {"TABLE_NAME": world.table.name}
    yield Candidate("table_calls", world.program("table_calls"), environment, lambda: rotations(world, "refresh"))


def authorizers(world: World) -> Iterator[Candidate]:
    for algorithm in ALGORITHMS:
        talk = same(world.authorizer_event(algorithm), is_allowed)
        name = "token-authorizer"
        environment = world.environment(name, algorithm)
        # The two ends of what a signature costs are enough for every size of Lambda.
        function = name if algorithm in ("HS256", "ES256") else None
        yield Candidate(f"{name} {algorithm}", world.program(name), environment, talk, function=function)
    talk = same(world.authorizer_event("HS256"), is_allowed)
    name = "authorizer HS256"
    yield Candidate(name, world.program("authorizer"), world.environment("authorizer"), talk, function="authorizer")
    environment = world.environment("authorizer", SESSION_CHECK="off")
    yield Candidate(f"{name}, SESSION_CHECK=off", world.program("authorizer"), environment, talk)


def functions(world: World) -> Iterator[Candidate]:
    def ours(name: str, talk: Callable[[], Iterator[bytes]], heavy: bool = False) -> Candidate:
        return Candidate(name, world.program(name), world.environment(name), talk, heavy, function=name)

    yield ours("refresh", lambda: refreshes(world))
    yield ours("login", same(world.login_event(), is_success), heavy=True)
    yield ours("signup", lambda: signups(world), heavy=True)
    yield ours("change-password", lambda: changes(world), heavy=True)
    # Of a session that has ended already, from the second one on: the same request to the table.
    yield ours("logout", same_later(lambda: logout(world), is_success))
    yield ours("me", same(world.caller_event("me"), is_success))
    yield ours("sessions", same(world.caller_event("sessions"), is_success))
    yield ours("well-known", same((ROOT / "events/well-known.json").read_bytes(), is_success))


def peers(world: World) -> Iterator[Candidate]:
    command = [str(ROOT / "target/peers/release/sdk-defaults")]
    environment = world.lambda_environment("sdk-defaults") | {"TABLE_NAME": world.table.name}
    for like in ("authorizer", "refresh", "login"):
        talk = lambda like=like: rotations(world, like)
        yield Candidate(f"SDK defaults: {like}", command, environment, talk, heavy=like == "login")
    node = lambda handler: ["node", str(PEERS / "node" / NODE_RIC), handler]
    for name, handler, algorithm in (
        ("Node, jose, HS256", "on-jose.handler", "HS256"),
        ("Node, jose, RS256", "on-jose.handler", "RS256"),
        ("Node, aws-jwt-verify, RS256", "on-aws-jwt-verify.handler", "RS256"),
    ):
        environment = world.peer_environment(algorithm) | {"LAMBDA_TASK_ROOT": str(PEERS / "node"), "_HANDLER": handler}
        talk = same(world.authorizer_event(algorithm), is_allowed)
        yield Candidate(name, node(handler), environment, talk, folder=PEERS / "node")
    for algorithm in ("HS256", "RS256"):
        handler = "authorizer.handler"
        environment = world.peer_environment(algorithm) | {"PYTHONPATH": str(PEERS / "python"), "_HANDLER": handler}
        environment |= {"LAMBDA_TASK_ROOT": str(PEERS / "python")}
        command = [str(PYTHON), "-m", "awslambdaric", handler]
        talk = same(world.authorizer_event(algorithm), is_allowed)
        yield Candidate(f"Python, PyJWT, {algorithm}", command, environment, talk)


# Conversations ----------------------------------------------------------------------------------------------------------


def same(event: bytes, check: Callable[[bytes], object]) -> Callable[[], Iterator[bytes]]:
    return same_later(lambda: event, check)


def same_later(make: Callable[[], bytes], check: Callable[[bytes], object]) -> Callable[[], Iterator[bytes]]:
    """The same event again and again, made when the conversation begins."""

    def talk() -> Iterator[bytes]:
        event = make()
        while True:
            check((yield event))

    return talk


def refreshes(world: World) -> Iterator[bytes]:
    token = world.login()["refreshToken"]
    while True:
        answer = yield event("refresh", lambda _, token=token: {"refreshToken": token})
        token = body_of(answer)["refreshToken"]


def signups(world: World) -> Iterator[bytes]:
    while True:
        body_of((yield world.new_user_event()))


def changes(world: World) -> Iterator[bytes]:
    """A user of its own, as the change ends the user's sessions and starts another."""
    tokens = world.answer("signup", world.new_user_event())
    passwords = itertools.cycle([PASSWORD, "Lantern-Quartz-Meadow"])
    current = next(passwords)
    for new in passwords:
        body = {"currentPassword": current, "newPassword": new}
        tokens = body_of((yield world.caller_event("change-password", tokens, lambda _, body=body: body)))
        current = new


def logout(world: World) -> bytes:
    token = world.login()["refreshToken"]
    return event("logout", lambda _: {"refreshToken": token})


def rotations(world: World, like: str) -> Iterator[bytes]:
    """What a function is asked that is given the table's keys, not tokens."""
    session = world.session_of(world.login()["accessToken"])
    generation = 0
    while True:
        call = {
            "like": like,
            "user": f"USER#{world.user}",
            "session": f"SESSION#{session}",
            "credential": "EMAIL#ada@example.com",
            "count": f"LIMIT#bench#{os.getpid()}",
            "generation": generation,
            "now": int(time.time()),
        }
        yield json.dumps(call).encode()
        generation += 1


# Answers ----------------------------------------------------------------------------------------------------------------


def is_success(answer: bytes) -> None:
    body_of(answer)


def is_allowed(answer: bytes) -> None:
    policy = json.loads(answer)
    context = policy["context"]
    effect = policy["policyDocument"]["Statement"][0]["Effect"]
    if effect != "Allow" or not (context["userId"] and context["sessionId"] and context["email"]):
        raise SystemExit(f"not allowed: {policy}")


def is_echo(event: bytes) -> Callable[[bytes], None]:
    expected = json.loads(event)

    def check(answer: bytes) -> None:
        if json.loads(answer) != expected:
            raise SystemExit("not the event again")

    return check
