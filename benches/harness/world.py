"""What the functions find: keys, a table with a user, tokens; and the environment that Lambda and the template give them."""

import base64
import copy
import json
import os
import subprocess
from pathlib import Path

import template
from process import Process
from table import HERE, ROOT, Table

EMAIL, PASSWORD = "ada@example.com", "plum-kettle-orbit-4172"
SECRET = "s" * 86
KEYS = ROOT / "crates/auth-core/benches/keys"
# Lambda's own variables ("Defined runtime environment variables").
LAMBDA = {
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bench",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "ASIABENCHBENCHBENCH0",
    "AWS_SECRET_ACCESS_KEY": "bench" * 8,
    "AWS_SESSION_TOKEN": "bench" * 100,
    "AWS_EXECUTION_ENV": "AWS_Lambda_provided.al2023",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "_HANDLER": "bootstrap",
    "PATH": os.environ["PATH"],
}


class World:
    """Everything that runs beside the functions, until the `with` block ends."""

    def __init__(self, binaries: Path) -> None:
        self.binaries = binaries
        self.folder = ROOT / "target/bench"
        self.table = Table(self.folder / "tls")
        self.users = 0
        try:
            self._furnish()
        except BaseException:
            self.table.stop()
            raise

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.table.stop()

    def _furnish(self) -> None:
        """One invocation each of the functions themselves: what they answer is what the others are given."""
        self.user = self.answer("signup", event("signup", lambda body: {**body, "email": EMAIL}))["user"]["userId"]
        self.tokens = {algorithm: self.login(algorithm) for algorithm in ("HS256", "RS256", "ES256", "EdDSA")}

    def login(self, algorithm: str = "HS256") -> dict:
        return self.answer("login", self.login_event(), self.environment("login", algorithm))

    def answer(self, function: str, event: bytes, environment: dict[str, str] | None = None) -> dict:
        environment = environment or self.environment(function)
        with Process(self.program(function), environment) as process:
            return body_of(process.invoke(event)[1])

    def program(self, name: str) -> list[str]:
        return [str(self.binaries / name)]

    def login_event(self) -> bytes:
        return event("login", lambda body: {**body, "email": EMAIL, "password": PASSWORD})

    def new_user_event(self) -> bytes:
        self.users += 1
        return event("signup", lambda body: {**body, "email": f"user{os.getpid()}-{self.users}@example.com"})

    def environment(self, function: str, algorithm: str = "HS256", **settings: str) -> dict[str, str]:
        """What Lambda and the template give to a function. The limits are out of reach, and counted all the same."""
        resource = "".join(word.capitalize() for word in function.split("-")) + "Function"
        given = template.environment(resource)
        asymmetric = algorithm != "HS256"
        verifies = asymmetric and function.endswith("authorizer")
        own = {
            "TABLE_NAME": self.table.name,
            "SERVICE_NAME": "latchkey",
            "JWT_SECRET": None if verifies else SECRET,
            "JWT_PRIVATE_KEY": private_key(algorithm) if asymmetric and not verifies else None,
            "JWT_PUBLIC_KEY": public_key(algorithm) if asymmetric else None,
        }
        given |= {name: value for name, value in own.items() if value and name in template.names(resource)}
        given |= {name: "1000000" for name in given if name.startswith(("LOGIN_LIMIT_PER", "SIGNUP_LIMIT_PER"))}
        if "JWT_ALGORITHM" in given:
            given["JWT_ALGORITHM"] = algorithm
        return self.lambda_environment(function, template.memory(resource)) | given | settings

    def lambda_environment(self, function: str, memory: int = 256) -> dict[str, str]:
        return LAMBDA | {
            "AWS_LAMBDA_FUNCTION_NAME": f"latchkey-{function}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
            "AWS_ENDPOINT_URL_DYNAMODB": self.table.url,
            "SSL_CERT_FILE": str(self.table.roots),
        }

    def peer_environment(self, algorithm: str) -> dict[str, str]:
        """What the authorizers in other languages are given."""
        names = template.environment("AuthorizerFunction")
        own = {name: names[name] for name in ("JWT_ISSUER", "JWT_AUDIENCE")} | {"JWT_ALGORITHM": algorithm}
        key = {"JWT_SECRET": SECRET} if algorithm == "HS256" else {"JWT_PUBLIC_KEY": public_key(algorithm)}
        return self.lambda_environment("peer") | own | key | {"JWT_KEY_ID": self.header(algorithm).get("kid", "")}

    def header(self, algorithm: str) -> dict:
        return part(self.tokens[algorithm]["accessToken"], 0)

    def session_of(self, token: str) -> str:
        return part(token, 1)["sid"]

    def authorizer_event(self, algorithm: str) -> bytes:
        text = (ROOT / "events/authorizer-request.json").read_text()
        return text.replace("REPLACE_WITH_ACCESS_TOKEN", self.tokens[algorithm]["accessToken"]).encode()

    def caller_event(self, name: str, tokens: dict | None = None, change=lambda body: body) -> bytes:
        """An event behind the authorizer, of a user who holds these tokens."""
        claims = part((tokens or self.tokens["HS256"])["accessToken"], 1)
        changed = json.loads(event(name, change))
        caller = {"userId": claims["sub"], "principalId": claims["sub"], "sessionId": claims["sid"]}
        changed["requestContext"]["authorizer"] |= caller
        return json.dumps(changed).encode()


EVENTS = {file.stem: json.loads(file.read_text()) for file in sorted((ROOT / "events").glob("*.json"))}


def event(name: str, change) -> bytes:
    """An event of `events/` with another body."""
    changed = copy.deepcopy(EVENTS[name])
    if changed["body"]:
        changed["body"] = json.dumps(change(json.loads(changed["body"])))
    return json.dumps(changed).encode()


def body_of(answer: bytes) -> dict:
    answer = json.loads(answer)
    if not 200 <= answer["statusCode"] < 300:
        raise SystemExit(f"not the answer that was asked for: {answer}")
    return json.loads(answer["body"]) if answer.get("body") else {}


def part(token: str, index: int) -> dict:
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def private_key(algorithm: str) -> str:
    return (KEYS / f"{algorithm.lower()}.pem").read_text()


def public_key(algorithm: str) -> str:
    command = ["openssl", "pkey", "-pubout", "-in", str(KEYS / f"{algorithm.lower()}.pem")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


PEERS = HERE.parent / "peers"
PYTHON = ROOT / ".venv/bin/python"
NODE_RIC = "node_modules/aws-lambda-ric/bin/index.mjs"
