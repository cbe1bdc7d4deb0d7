"""What the figures of one run are to be to each other."""

from report import markdown, quartiles

START, START_AND_FIRST, WARM = "start", "start and first request", "warm"
# What, of which candidate, of which other one, at most so many times as much.
TARGETS = [
    (START, "token-authorizer HS256", "echo", 1.15),
    (WARM, "token-authorizer HS256", "echo", 1.10),
    (START, "token-authorizer HS256", "Node, jose, HS256", 1 / 30),
    (START, "token-authorizer HS256", "Python, PyJWT, HS256", 1 / 30),
    (WARM, "token-authorizer HS256", "Node, jose, HS256", 1 / 5),
    (WARM, "token-authorizer HS256", "Python, PyJWT, HS256", 1 / 5),
    (START, "token-authorizer RS256", "Node, aws-jwt-verify, RS256", 1 / 30),
    (WARM, "token-authorizer RS256", "Node, aws-jwt-verify, RS256", 1 / 5),
    (START_AND_FIRST, "authorizer HS256", "SDK defaults: authorizer", 1 / 5),
    (START_AND_FIRST, "refresh", "SDK defaults: refresh", 1 / 5),
    (START_AND_FIRST, "login", "SDK defaults: login", 1 / 5),
    (WARM, "refresh", "table_calls", 1.25),
]
OF = {START: ("start_cpu",), START_AND_FIRST: ("start_cpu", "first_cpu"), WARM: ("warm_cpu",)}


def table(figures: dict) -> str:
    rows = []
    for what, ours, other, most in TARGETS:
        if ours in figures and other in figures:
            ratio = cpu(figures[ours], what) / cpu(figures[other], what)
            met = "yes" if ratio <= most else "no"
            rows.append([f"{what}: {ours} to {other}", shown(ratio, most), shown(most, most), met])
    return markdown(["CPU, as a ratio", "measured", "at most", "met"], rows)


def cpu(values: dict[str, list[float]], what: str) -> float:
    return sum(quartiles(values[name])[1] for name in OF[what])


def shown(ratio: float, most: float) -> str:
    """
    >>> shown(1.104, 1.10), shown(1 / 42, 1 / 30)
    ('1.10', '1/42.0')
    """
    return f"{ratio:.2f}" if most >= 1 else f"1/{1 / ratio:.1f}"
