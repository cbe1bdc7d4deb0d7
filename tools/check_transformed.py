"""What must hold of the template as CloudFormation gets it, read from standard input (see transform.py).

- no authorizer keeps an answer: with a cache a logout would not take effect on the next request
- every route has the authorizer, but for those that are public on purpose, and a throttle
- the access log says which request it was and repeats nothing that a caller could put a token into
- no policy names every action or every resource, and no role has a managed policy but those that SAM gives it
- what a policy allows on the table it allows for kinds of items, and only actions that name their items are allowed
- only API Gateway may call a function, and only this API, which may call every authorizer that a condition can choose
- no variable of a function holds a secret in clear, nor does a parameter's default
- every log group forgets, every function writes to one, and the one with the audit trail outlives the stack
- the API accepts TLS 1.2 and later alone, and with a domain it answers at the domain alone
- a parameter bounds every role, and another encrypts the environment of every function
- the table is kept, recoverable, encrypted and protected
- every alarm tells the topics, and counts events that the service emits, of this stack alone; that of throttles counts every function's
- whatever costs extra is off unless a parameter asks for it
"""

import json
import re
import sys
from pathlib import Path

PUBLIC = {
    ("post", "/auth/signup"), ("post", "/auth/register"), ("post", "/auth/login"), ("post", "/auth/refresh"),
    ("post", "/auth/logout"), ("get", "/.well-known/jwks.json"), ("get", "/.well-known/openid-configuration"),
}
# What SAM gives a function's role by itself: its log, and its traces if Tracing asks for them.
MANAGED = {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}
# Actions on a table that name the partition key of each item that they touch ("Using IAM policy conditions for fine-grained
# access control"). Of any other the condition says nothing.
KEYED = {"BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"}
# What is in the table: the first part of its keys, and the kind of a limit.
ITEMS = r"(EMAIL|USER|LIVE|LIMIT#[a-z-]+)#\*"
# Variables of the access log that no caller has a say in, but for the route and the method that they choose, and a UUID.
LOGGED = {
    "authorizer.latency", "authorizer.principalId", "authorizer.status", "error.responseType", "extendedRequestId",
    "httpMethod", "identity.sourceIp", "integration.latency", "integration.status", "requestId", "requestTimeEpoch",
    "resourcePath", "responseLatency", "responseLength", "status", "waf.status",
}
# The declaration of the audit events: `Name;`, or `Name or NameOfAFailure;`.
EVENTS = Path(__file__).parent.parent / "crates/auth-core/src/audit/event.rs"
# Which of them guards the API is a condition's choice.
AUTHORIZERS = ("AuthorizerFunction", "TokenAuthorizerFunction")
# What is paid for whether or not it is used, or needs something outside the stack.
OPTIONAL = {
    "AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation", "AWS::ApiGatewayV2::DomainName",
    "AWS::ApiGatewayV2::ApiMapping", "AWS::Route53::RecordSetGroup", "AWS::SNS::Topic",
}


def of_type(template, kind):
    """The resources of a type: name and properties."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource.get("Properties", {})


def security_schemes(body):
    """The authorizers of an API's OpenAPI document, by name."""
    return body.get("securityDefinitions") or body["components"]["securitySchemes"]


def operations(body):
    """What is wrong with the routes of an API's OpenAPI document."""
    schemes = security_schemes(body)
    for name, scheme in schemes.items():
        ttl = scheme["x-amazon-apigateway-authorizer"].get("authorizerResultTtlInSeconds")
        if ttl != 0:
            yield f"the authorizer {name} keeps its answers for {ttl} s"
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            public = (method, path) in PUBLIC or method == "options"
            guarded = any(name in schemes for security in operation.get("security", []) for name in security)
            if public == guarded:
                yield f"{method} {path} is {'guarded' if guarded else 'open'}"


def routes(template):
    apis = list(of_type(template, "AWS::ApiGateway::RestApi"))
    if not apis:
        yield "there is no REST API"
    for _, api in apis:
        yield from operations(api["Body"])


def stages(template):
    for name, stage in of_type(template, "AWS::ApiGateway::Stage"):
        settings = stage.get("MethodSettings", [])
        usual = [s for s in settings if (s["ResourcePath"], s["HttpMethod"]) == ("/*", "*")]
        if not any("ThrottlingRateLimit" in s for s in usual):
            yield f"{name} has routes without a throttle"
        if any(s.get("DataTraceEnabled") or s.get("LoggingLevel", "OFF") != "OFF" for s in settings):
            yield f"{name} writes execution logs, which contain tokens"
        setting = stage["AccessLogSetting"]["Fn::If"][1]
        line = json.loads(setting["Format"])
        if line.get("requestId") != "$context.requestId":
            yield f"the access log of {name} does not say which request it was"
        for variable in re.findall(r"\$context\.([\w.]+)", setting["Format"]):
            if variable not in LOGGED:
                yield f"the access log of {name} has {variable}"


def endpoints(template):
    for name, api in of_type(template, "AWS::ApiGateway::RestApi"):
        if not re.match(r"SecurityPolicy_TLS1[23]", api.get("SecurityPolicy", "")):
            yield f"{name} takes TLS below 1.2"
        elif "EndpointAccessMode" not in api:
            yield f"{name} has a security policy without an access mode"
        servers = [s.get("x-amazon-apigateway-endpoint-configuration", {}) for s in api["Body"].get("servers", [])]
        if {"disableExecuteApiEndpoint": {"Fn::If": ["HasDomain", True, False]}} not in servers:
            yield f"{name} answers at its own URL beside the domain"


def bounds(template):
    for kind, member, parameter, what in (
        ("AWS::IAM::Role", "PermissionsBoundary", "PermissionsBoundary", "is bounded by no parameter"),
        ("AWS::Lambda::Function", "KmsKeyArn", "EnvironmentKeyArn", "encrypts its environment by no parameter"),
    ):
        for name, resource in of_type(template, kind):
            if parameter not in texts(resource.get(member)):
                yield f"{name} {what}"


def permissions(template):
    for name, role in of_type(template, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if "*" in json.dumps([statement["Action"], statement["Resource"]]):
                    yield f"a policy of {name} has a wildcard"
        for policy in role.get("ManagedPolicyArns", []):
            if json.dumps(policy).strip('"').rsplit("/", 1)[-1] not in MANAGED:
                yield f"{name} has the managed policy {policy}"
    kinds = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
    apis = [name for kind in kinds for name, _ in of_type(template, kind)]
    for name, permission in of_type(template, "AWS::Lambda::Permission"):
        sources = list(texts(permission.get("SourceArn")))
        ours = any(source == api or re.search(rf"\$\{{{api}[.}}]", source) for api in apis for source in sources)
        if permission["Principal"] != "apigateway.amazonaws.com" or not ours:
            yield f"{name} lets others than this API call a function"


def authorizers(template):
    for name, api in of_type(template, "AWS::ApiGateway::RestApi"):
        source = f"${{{name}}}/authorizers/*"
        allowed = {
            text
            for resource in template["Resources"].values()
            if resource["Type"] == "AWS::Lambda::Permission" and "Condition" not in resource
            for permission in [resource["Properties"]]
            if permission["Action"] == "lambda:InvokeFunction"
            and any(text.endswith(source) for text in texts(permission.get("SourceArn")))
            for text in texts(permission["FunctionName"])
        }
        for scheme in security_schemes(api["Body"]).values():
            named = set(texts(scheme["x-amazon-apigateway-authorizer"]["authorizerUri"]))
            for function in AUTHORIZERS:
                if function not in named:
                    yield f"the API never asks {function}"
                if function not in allowed:
                    yield f"the API may not call its authorizer {function}"


def texts(value):
    """Every text in a value, whatever conditions choose among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for member in value.values() if isinstance(value, dict) else value:
            yield from texts(member)


def items(template):
    for name, role in of_type(template, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                # The name of a condition that chooses has no colon.
                actions = [text.removeprefix("dynamodb:") for text in texts(statement["Action"]) if ":" in text]
                for action in actions:
                    if action not in KEYED:
                        yield f"{name} may {action}, which no condition limits to items"
                condition = statement.get("Condition", {})
                keys = condition.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
                if len(condition) != 1 or not keys:
                    yield f"{name} may {', '.join(actions)} on every item"
                for key in texts(keys or []):
                    if not re.fullmatch(ITEMS, key):
                        yield f"{name} may {', '.join(actions)} on {key}, which is no kind of item"


def secrets(template):
    for name, function in of_type(template, "AWS::Lambda::Function"):
        for variable, value in function.get("Environment", {}).get("Variables", {}).items():
            if ("SECRET" in variable or "PRIVATE" in variable) and "resolve:secretsmanager" not in json.dumps(value):
                yield f"{name} has {variable} in clear"
    for name, parameter in template["Parameters"].items():
        default = parameter.get("Default")
        if re.search("Secret|Private|Password", name) and isinstance(default, str) and default:
            yield f"the parameter {name} has a default"


def logs(template):
    groups = dict(of_type(template, "AWS::Logs::LogGroup"))
    for name, group in groups.items():
        if "RetentionInDays" not in group:
            yield f"{name} keeps its lines for ever"
    audit = template["Resources"]["LogGroup"]
    if not all(audit.get(member, "").startswith("Retain") for member in ("DeletionPolicy", "UpdateReplacePolicy")):
        yield "LogGroup, which holds the audit trail, goes with the stack"
    for name, function in of_type(template, "AWS::Lambda::Function"):
        if function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref") not in groups:
            yield f"{name} writes to a log group that Lambda makes, which keeps its lines for ever"


def state(template):
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::DynamoDB::Table":
            continue
        table = resource["Properties"]
        for what, holds in {
            "retained": resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == "Retain",
            "protected from deletion": table.get("DeletionProtectionEnabled") is True,
            "recoverable": table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is True,
            "encrypted under a key of the account": table.get("SSESpecification", {}).get("SSEEnabled") is True,
            "on demand": table.get("BillingMode") == "PAY_PER_REQUEST",
            "rid of what has expired": table.get("TimeToLiveSpecification", {}).get("Enabled") is True,
        }.items():
            if not holds:
                yield f"{name} is not {what}"


def emitted():
    """The names of the metrics that audit lines emit."""
    declared = EVENTS.read_text().split("\nevents! {")[1]
    return {name for names in re.findall(r"^    (\w+)(?: or (\w+))?;$", declared, re.MULTILINE) for name in names if name}


def watching(template):
    metrics_of_events = emitted()
    alarms = dict(of_type(template, "AWS::CloudWatch::Alarm"))
    for name, alarm in alarms.items():
        if "AlarmTopic" not in json.dumps(alarm.get("AlarmActions", [])) or len(alarm["AlarmActions"]) != 2:
            yield f"{name} does not tell both topics"
        # "Limits that apply to alarms based on metric math expressions"
        if sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) > 10:
            yield f"{name} has more metrics than an alarm can have"
        dimensions = [{"Name": "Service", "Value": {"Ref": "AWS::StackName"}}]
        if alarm.get("Namespace") == "Latchkey" and alarm.get("Dimensions") != dimensions:
            yield f"{name} counts other stacks' events too"
        if alarm.get("Namespace") == "Latchkey" and alarm.get("MetricName") not in metrics_of_events:
            yield f"{name} counts {alarm.get('MetricName')}, which the service does not emit"
        if alarm.get("Namespace") not in (None, "Latchkey", "AWS/ApiGateway"):
            yield f"{name} counts metrics of the unknown namespace {alarm['Namespace']}"
    metrics = [metric.get("MetricStat", {}).get("Metric", {}) for metric in alarms["LambdaThrottleAlarm"]["Metrics"]]
    counted = {text for metric in metrics if metric.get("MetricName") == "Throttles" for text in texts(metric)}
    for function, _ in of_type(template, "AWS::Lambda::Function"):
        if function not in counted:
            yield f"LambdaThrottleAlarm does not count {function}"
    for name, dashboard in of_type(template, "AWS::CloudWatch::Dashboard"):
        text = dashboard["DashboardBody"]["Fn::Sub"][0]
        body = json.loads(re.sub(r"\$\{[^}]+\}", "x", text))
        shown = set(re.findall(r"\$\{(\w+)\.Arn\}", text))
        if not body["widgets"] or shown != set(alarms):
            yield f"{name} does not show every alarm"


def holds(condition, template):
    """Whether a condition holds when every parameter is left alone."""
    ((function, value),) = condition.items()
    if function == "Fn::Equals":
        left, right = (template["Parameters"][v["Ref"]]["Default"] if isinstance(v, dict) else v for v in value)
        return str(left) == str(right)
    if function == "Condition":
        return holds(template["Conditions"][value], template)
    results = [holds(member, template) for member in value]
    return {"Fn::Not": not results[0], "Fn::And": all(results), "Fn::Or": any(results)}[function]


def extras(template):
    for name, resource in template["Resources"].items():
        condition = resource.get("Condition")
        if resource["Type"] in OPTIONAL and (not condition or holds(template["Conditions"][condition], template)):
            yield f"{name} is there without being asked for"
    for name, domain in of_type(template, "AWS::ApiGatewayV2::DomainName"):
        if any(c.get("SecurityPolicy") != "TLS_1_2" for c in domain["DomainNameConfigurations"]):
            yield f"{name} takes TLS below 1.2"
        if any(c.get("IpAddressType") != "dualstack" for c in domain["DomainNameConfigurations"]):
            yield f"{name} has no IPv6 address"


CHECKS = (routes, stages, endpoints, bounds, permissions, authorizers, items, secrets, logs, state, watching, extras)


def faults(template):
    """Everything that is wrong with a transformed template, one line each."""
    return [fault for check in CHECKS for fault in check(template)]


if __name__ == "__main__":
    found = faults(json.load(sys.stdin))
    for fault in found:
        print(fault, file=sys.stderr)
    sys.exit(bool(found))
