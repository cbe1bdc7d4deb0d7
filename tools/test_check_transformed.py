"""Every rule of check_transformed.py notices when it is broken.

Usage: test_check_transformed.py TRANSFORMED_TEMPLATE
"""

import copy
import json
import sys

from check_transformed import faults, security_schemes


def role(template):
    return template["Resources"]["LogoutFunctionRole"]["Properties"]


def stage(template):
    return template["Resources"]["ApiPRODStage"]["Properties"]


def api(template):
    return template["Resources"]["Api"]["Properties"]["Body"]


def properties(template, name):
    return template["Resources"][name]["Properties"]


def authorizer(template):
    return security_schemes(api(template))["Latchkey"]["x-amazon-apigateway-authorizer"]


def statement(template):
    return role(template)["Policies"][0]["PolicyDocument"]["Statement"][0]


def leading_keys(template):
    return statement(template)["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]


def access_log(template):
    return stage(template)["AccessLogSetting"]["Fn::If"][1]


# What is broken, and what is to be said of it.
BROKEN = [
    (lambda t: authorizer(t).update(authorizerResultTtlInSeconds=300),
     "the authorizer Latchkey keeps its answers for 300 s"),
    (lambda t: authorizer(t).pop("authorizerResultTtlInSeconds"),
     "the authorizer Latchkey keeps its answers for None s"),
    (lambda t: api(t)["paths"]["/auth/me"]["get"].pop("security"), "get /auth/me is open"),
    (lambda t: t["Resources"].pop("ApiCallsTokenAuthorizer"),
     "the API may not call its authorizer TokenAuthorizerFunction"),
    (lambda t: t["Resources"]["ApiCallsTokenAuthorizer"].update(Condition="ChecksTokensAlone"),
     "the API may not call its authorizer TokenAuthorizerFunction"),
    (lambda t: properties(t, "ApiCallsAuthorizer").update(Action="lambda:GetFunction"),
     "the API may not call its authorizer AuthorizerFunction"),
    (lambda t: properties(t, "ApiCallsAuthorizer").update(SourceArn={"Fn::Sub": "arn:aws:execute-api:${Other}/authorizers/*"}),
     "the API may not call its authorizer AuthorizerFunction"),
    (lambda t: authorizer(t).update(authorizerUri={"Fn::GetAtt": ["TokenAuthorizerFunction", "Arn"]}),
     "the API never asks AuthorizerFunction"),
    (lambda t: properties(t, "LambdaThrottleAlarm")["Metrics"].pop(),
     "LambdaThrottleAlarm does not count TokenAuthorizerFunction"),
    (lambda t: properties(t, "LambdaThrottleAlarm")["Metrics"][1]["MetricStat"]["Metric"].update(MetricName="Errors"),
     "LambdaThrottleAlarm does not count SignupFunction"),
    (lambda t: properties(t, "LambdaThrottleAlarm")["Metrics"].append(properties(t, "LambdaThrottleAlarm")["Metrics"][1]),
     "LambdaThrottleAlarm has more metrics than an alarm can have"),
    (lambda t: api(t)["paths"]["/auth/login"]["post"].update(security=[{"Latchkey": []}]),
     "post /auth/login is guarded"),
    (lambda t: t["Resources"].pop("Api"), "there is no REST API"),
    (lambda t: stage(t)["MethodSettings"].pop(0), "ApiPRODStage has routes without a throttle"),
    (lambda t: stage(t)["MethodSettings"][0].update(LoggingLevel="INFO"),
     "ApiPRODStage writes execution logs, which contain tokens"),
    (lambda t: access_log(t).update(Format='{"status":"$context.status"}'),
     "the access log of ApiPRODStage does not say which request it was"),
    (lambda t: access_log(t).update(Format='{"requestId":"$context.requestId","path":"$context.path"}'),
     "the access log of ApiPRODStage has path"),
    (lambda t: statement(t).update(Action="dynamodb:*"), "a policy of LogoutFunctionRole has a wildcard"),
    (lambda t: statement(t).update(Resource="*"), "a policy of LogoutFunctionRole has a wildcard"),
    (lambda t: statement(t).update(Action=["dynamodb:UpdateItem", "dynamodb:Scan"]),
     "LogoutFunctionRole may Scan, which no condition limits to items"),
    (lambda t: statement(t).update(Action=["dynamodb:UpdateItem", "kms:Decrypt"]),
     "LogoutFunctionRole may kms:Decrypt, which no condition limits to items"),
    (lambda t: statement(t).pop("Condition"), "LogoutFunctionRole may DeleteItem on every item"),
    (lambda t: statement(t).update(Condition={"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["USER#*"]}}),
     "LogoutFunctionRole may DeleteItem on every item"),
    (lambda t: leading_keys(t).clear(), "LogoutFunctionRole may DeleteItem on every item"),
    (lambda t: leading_keys(t).append("*"), "LogoutFunctionRole may DeleteItem on *, which is no kind of item"),
    (lambda t: leading_keys(t).append("LIMIT#*"), "LogoutFunctionRole may DeleteItem on LIMIT#*, which is no kind of item"),
    (lambda t: role(t)["ManagedPolicyArns"].append("arn:aws:iam::aws:policy/AdministratorAccess"),
     "LogoutFunctionRole has the managed policy arn:aws:iam::aws:policy/AdministratorAccess"),
    (lambda t: properties(t, "LogoutFunctionLogoutPermissionPROD").pop("SourceArn"),
     "LogoutFunctionLogoutPermissionPROD lets others than this API call a function"),
    (lambda t: properties(t, "LogoutFunctionLogoutPermissionPROD").update(
        SourceArn={"Fn::Sub": ["arn:aws:execute-api:${__ApiId__}/*", {"__ApiId__": {"Ref": "OtherApi"}}]}),
     "LogoutFunctionLogoutPermissionPROD lets others than this API call a function"),
    (lambda t: properties(t, "LoginFunction")["Environment"]["Variables"].update(JWT_SECRET="s"),
     "LoginFunction has JWT_SECRET in clear"),
    (lambda t: t["Parameters"].update(SigningSecret={"Type": "String", "Default": "s"}),
     "the parameter SigningSecret has a default"),
    (lambda t: properties(t, "AccessLogGroup").pop("RetentionInDays"), "AccessLogGroup keeps its lines for ever"),
    (lambda t: t["Resources"]["LogGroup"].update(DeletionPolicy="Delete"),
     "LogGroup, which holds the audit trail, goes with the stack"),
    (lambda t: properties(t, "Api").pop("SecurityPolicy"), "Api takes TLS below 1.2"),
    (lambda t: properties(t, "Api").update(SecurityPolicy="TLS_1_0"), "Api takes TLS below 1.2"),
    (lambda t: properties(t, "Api").pop("EndpointAccessMode"), "Api has a security policy without an access mode"),
    (lambda t: api(t).pop("servers"), "Api answers at its own URL beside the domain"),
    (lambda t: role(t).pop("PermissionsBoundary"), "LogoutFunctionRole is bounded by no parameter"),
    (lambda t: properties(t, "MeFunction").pop("KmsKeyArn"), "MeFunction encrypts its environment by no parameter"),
    (lambda t: properties(t, "MeFunction").pop("LoggingConfig"),
     "MeFunction writes to a log group that Lambda makes, which keeps its lines for ever"),
    (lambda t: t["Resources"]["Table"].pop("UpdateReplacePolicy"), "Table is not retained"),
    (lambda t: properties(t, "Table").pop("DeletionProtectionEnabled"), "Table is not protected from deletion"),
    (lambda t: properties(t, "Table").pop("PointInTimeRecoverySpecification"), "Table is not recoverable"),
    (lambda t: properties(t, "Table").pop("SSESpecification"), "Table is not encrypted under a key of the account"),
    (lambda t: properties(t, "Table").pop("BillingMode"), "Table is not on demand"),
    (lambda t: properties(t, "Table").pop("TimeToLiveSpecification"), "Table is not rid of what has expired"),
    (lambda t: properties(t, "TokenReuseAlarm")["AlarmActions"].pop(), "TokenReuseAlarm does not tell both topics"),
    (lambda t: properties(t, "TokenReuseAlarm").pop("Dimensions"), "TokenReuseAlarm counts other stacks' events too"),
    (lambda t: properties(t, "LockoutAlarm").update(MetricName="AddressLock"),
     "LockoutAlarm counts AddressLock, which the service does not emit"),
    (lambda t: properties(t, "FailedLoginAlarm").update(Namespace="latchkey"),
     "FailedLoginAlarm counts metrics of the unknown namespace latchkey"),
    (lambda t: properties(t, "Dashboard").update(DashboardBody={"Fn::Sub": ['{"widgets": []}', {}]}),
     "Dashboard does not show every alarm"),
    (lambda t: t["Resources"]["RateRule"].pop("Condition"), "RateRule is there without being asked for"),
    (lambda t: t["Parameters"]["DomainName"].update(Default="id.example.com"),
     "Domain is there without being asked for"),
    (lambda t: properties(t, "Domain")["DomainNameConfigurations"][0].update(SecurityPolicy="TLS_1_0"),
     "Domain takes TLS below 1.2"),
    (lambda t: properties(t, "Domain")["DomainNameConfigurations"][0].pop("IpAddressType"),
     "Domain has no IPv6 address"),
]


def main(path):
    with open(path, encoding="utf-8") as file:
        template = json.load(file)
    unnoticed = []
    for number, (spoil, said) in enumerate(BROKEN):
        spoilt = copy.deepcopy(template)
        spoil(spoilt)
        if said not in faults(spoilt):
            unnoticed.append(f"{number}: nobody says that {said}; but {faults(spoilt)}")
    sys.exit("\n".join(unnoticed) or None)


if __name__ == "__main__":
    main(sys.argv[1])
