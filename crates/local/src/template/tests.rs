//! Small templates, evaluated as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::api::{AuthorizerPayload, Cors, GatewayResponse, IdentitySource, ManagedCors};

fn evaluate(text: &str, environment: &[(&str, &str)]) -> Result<Template, Fault> {
    let environment: BTreeMap<_, _> = environment.iter().copied().collect();
    let surroundings = Surroundings {
        lookup: &|name| environment.get(name).map(|value| (*value).to_owned()),
        secrets: &|secret| Ok(format!("secret of {}", secret.id)),
        stack: "latchkey",
        imports: &BTreeMap::from([("other-Arn".to_owned(), OTHER.to_owned())]),
        parameters: &BTreeMap::new(),
    };
    Template::evaluate(text, &surroundings)
}

/// A function of another stack.
const OTHER: &str = "arn:aws:lambda:us-east-1:123456789012:function:other-AuthorizerFunction";

/// The one API of a template.
fn one(template: &Template) -> Api {
    template.api(ApiKind::Rest).unwrap().clone()
}

const FULL: &str = r#"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Format: {Type: String, Default: camel, AllowedValues: [camel, snake]}
Mappings:
  Body: {camel: {E: '{"requestId":1}'}, snake: {E: '{"request_id":1}'}}
Conditions:
  Never: !Equals [a, b]
Globals:
  Function:
    Timeout: 10
    Environment: {Variables: {LOG_LEVEL: info, RESPONSE_FORMAT: !Ref Format}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: PROD
      Variables: {V: '1'}
      BinaryMediaTypes: [image~1png]
      Auth:
        DefaultAuthorizer: Guard
        Authorizers:
          Guard:
            FunctionPayloadType: REQUEST
            FunctionArn: !GetAtt GuardFunction.Arn
            Identity: {Headers: [Authorization], QueryStrings: [q], ReauthorizeEvery: 0}
          Token:
            FunctionArn: !GetAtt GuardFunction.Arn
            Identity: {Header: X-Token, ValidationExpression: '[a-z]+'}
      GatewayResponses:
        UNAUTHORIZED:
          StatusCode: 401
          ResponseParameters: {Headers: {Vary: "'Origin'", X-Gone: !Ref AWS::NoValue}}
          ResponseTemplates: {application/json: !FindInMap [Body, !Ref Format, E]}
      Cors: {AllowOrigin: "'*'", AllowMethods: "'GET'"}
  GuardFunction:
    Type: AWS::Serverless::Function
    Properties: {Timeout: 5}
  WellKnownFunction:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize: 512
      Environment:
        Variables:
          TABLE_NAME: !Ref Table
          SECRET: !Sub '{{resolve:secretsmanager:${Secret}:SecretString}}'
          CLOUD_ONLY: !ImportValue elsewhere
          ABSENT: !If [Never, x, !Ref AWS::NoValue]
      Events:
        Open: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /open, Method: get, Auth: {Authorizer: NONE}}}
        Closed: {Type: Api, Properties: {RestApiId: !Ref Api, Path: '/closed/{id}', Method: POST}}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
  GoneFunction:
    Type: AWS::Serverless::Function
    Condition: Never
    Properties: {Timeout: nonsense}
  Secret: {Type: AWS::SecretsManager::Secret}
  Alarm: {Type: AWS::CloudWatch::Alarm, Properties: {Whatever: !Cidr [x]}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: sk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
"#;

const CLOUD: &[(&str, &str)] = &[("CLOUD_ONLY", "here")];

#[test]
fn functions_have_their_own_settings_over_the_global_ones() {
    let template = evaluate(FULL, CLOUD).unwrap();
    assert_eq!(template.functions.keys().collect::<Vec<_>>(), ["GuardFunction", "WellKnownFunction"]);
    let known = &template.functions["WellKnownFunction"];
    assert_eq!(
        (known.package.as_str(), known.timeout, known.memory_mib),
        ("well-known", Duration::from_secs(10), 512)
    );
    assert_eq!(template.functions["GuardFunction"].timeout, Duration::from_secs(5));
    let settings: Vec<_> =
        known.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        settings,
        [
            ("CLOUD_ONLY", "here"),
            ("LOG_LEVEL", "info"),
            ("RESPONSE_FORMAT", "camel"),
            ("SECRET", "secret of arn:aws:secretsmanager:us-east-1:123456789012:secret:Secret"),
            ("TABLE_NAME", "latchkey-Table"),
        ]
    );
}

#[test]
fn routes_are_guarded_by_the_default_authorizer_unless_they_say_otherwise() {
    let api = one(&evaluate(FULL, CLOUD).unwrap());
    assert_eq!((api.kind, api.id.as_str(), api.stage.as_str()), (ApiKind::Rest, "api", "PROD"));
    assert_eq!(api.stage_variables, BTreeMap::from([("V".to_owned(), "1".to_owned())]));
    assert_eq!(api.binary_media_types, ["image/png"]);
    let route = |method: &str, path: &str, authorizer: Option<&str>| Route {
        method: method.to_owned(),
        path: path.to_owned(),
        function: "WellKnownFunction".to_owned(),
        authorizer: authorizer.map(str::to_owned),
    };
    assert_eq!(api.routes, [route("POST", "/closed/{id}", Some("Guard")), route("GET", "/open", None)]);
    let Some(Cors::Mock(headers)) = &api.cors else { panic!("SAM's mock") };
    assert_eq!(
        headers.first().map(|(name, value)| (name.as_str(), value.as_str())),
        Some(("Access-Control-Allow-Origin", "*"))
    );
}

#[test]
fn authorizers_are_read_with_the_defaults_of_api_gateway() {
    let api = one(&evaluate(FULL, CLOUD).unwrap());
    let guard = &api.authorizers["Guard"];
    assert_eq!(
        (guard.function.as_str(), guard.payload, guard.ttl),
        ("GuardFunction", AuthorizerPayload::RestRequest, Duration::ZERO)
    );
    assert_eq!(
        guard.identity,
        [IdentitySource::Header("Authorization".to_owned()), IdentitySource::Query("q".to_owned())]
    );
    let token = &api.authorizers["Token"];
    assert_eq!((token.payload, token.ttl), (AuthorizerPayload::RestToken, Duration::from_secs(300)));
    assert_eq!(token.identity, [IdentitySource::Header("X-Token".to_owned())]);
    let expression = token.validation.as_ref().unwrap();
    assert!(expression.is_match("abc") && !expression.is_match("abc1"));
}

#[test]
fn an_overridden_setting_moves_the_parameter_that_it_came_from() {
    for (format, body) in
        [("snake", r#"{"request_id":1}"#), ("camel", r#"{"requestId":1}"#), ("klingon", r#"{"requestId":1}"#)]
    {
        let template = evaluate(FULL, &[("CLOUD_ONLY", ""), ("RESPONSE_FORMAT", format)]).unwrap();
        let expected = GatewayResponse {
            status: Some(401),
            headers: vec![("Vary".to_owned(), "'Origin'".to_owned())],
            templates: BTreeMap::from([("application/json".to_owned(), body.to_owned())]),
        };
        assert_eq!(one(&template).gateway_responses["UNAUTHORIZED"], expected);
        // A value that the parameter does not allow still reaches the function, which refuses it by name.
        assert_eq!(template.functions["WellKnownFunction"].environment["RESPONSE_FORMAT"], format);
    }
}

#[test]
fn a_table_has_its_keys_and_its_time_to_live() {
    let tables = evaluate(FULL, CLOUD).unwrap().tables;
    let attribute =
        |name: &str, role: &str| KeyAttribute { name: name.into(), role: role.into(), kind: "S".into() };
    assert_eq!(
        tables,
        [Table {
            name: "latchkey-Table".to_owned(),
            key: vec![attribute("pk", "HASH"), attribute("sk", "RANGE")],
            time_to_live: Some("expires_at".to_owned()),
        }]
    );
}

const HTTP: &str = "
Resources:
  Web:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: ['https://a.example'], AllowCredentials: true, MaxAge: 60}
      Auth:
        DefaultAuthorizer: Guard
        Authorizers:
          Guard:
            FunctionArn: !GetAtt F.Arn
            AuthorizerPayloadFormatVersion: 2.0
            EnableSimpleResponses: true
            Identity: {Headers: [Authorization]}
          Old: {FunctionArn: !GetAtt F.Arn, AuthorizerPayloadFormatVersion: '1.0'}
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: login}}
    Properties:
      Events:
        All: {Type: HttpApi, Properties: {ApiId: !Ref Web, Auth: {Authorizer: NONE}}}
        One: {Type: HttpApi, Properties: {ApiId: !Ref Web, Path: /one, Method: '*', Auth: {Authorizer: Old}}}
        Two: {Type: HttpApi, Properties: {ApiId: !Ref Web, Path: /two, Method: get}}
";

#[test]
fn an_http_api_is_read_with_its_authorizers_and_cors() {
    let template = evaluate(HTTP, &[]).unwrap();
    let api = one(&template);
    assert_eq!((api.kind, api.stage.as_str()), (ApiKind::Http, "$default"));
    assert_eq!(template.functions["F"].package, "login");
    let routes: Vec<_> = api
        .routes
        .iter()
        .map(|route| (route.method.as_str(), route.path.as_str(), route.authorizer.as_deref()))
        .collect();
    assert_eq!(
        routes,
        [("ANY", "$default", None), ("ANY", "/one", Some("Old")), ("GET", "/two", Some("Guard"))]
    );
    let payloads: Vec<_> =
        api.authorizers.values().map(|authorizer| (authorizer.payload, authorizer.ttl)).collect();
    assert_eq!(
        payloads,
        [(AuthorizerPayload::Http2Simple, Duration::ZERO), (AuthorizerPayload::Http1, Duration::ZERO)]
    );
    let expected = ManagedCors {
        origins: vec!["https://a.example".to_owned()],
        credentials: true,
        max_age: Some(60),
        ..ManagedCors::default()
    };
    assert_eq!(api.cors, Some(Cors::Managed(expected)));
}

#[test]
fn events_that_name_no_api_belong_to_the_implicit_one() {
    let template = evaluate(
        "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Events: {E: {Type: Api, Properties: {Path: /a, Method: any}}}}
",
        &[],
    )
    .unwrap();
    let api = one(&template);
    assert_eq!((api.id.as_str(), api.stage.as_str()), ("serverlessrestapi", "Prod"));
    assert_eq!(template.functions["F"].timeout, Duration::from_secs(3));
}

#[test]
fn of_an_api_of_each_kind_the_preferred_one_is_played() {
    let both = "
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        R: {Type: Api, Properties: {Path: /rest, Method: GET}}
        H: {Type: HttpApi, Properties: {Path: /http, Method: GET}}
";
    for (prefer, path) in [(ApiKind::Rest, "/rest"), (ApiKind::Http, "/http")] {
        let template = evaluate(both, &[]).unwrap();
        assert_eq!(template.api(prefer).unwrap().routes[0].path, path);
    }
}

#[test]
fn a_broken_template_is_one_line_that_names_the_place() {
    let function = |properties: &str| {
        format!("Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {{{properties}}}\n")
    };
    let route = "Events: {E: {Type: Api, Properties: {Path: /a, Method: GET}}}";
    for (text, says) in [
        ("a: [", None),
        ("{}", Some("Resources: is missing or empty")),
        ("Resources: {F: {}}", Some("Resources.F: has no Type")),
        ("Resources: {T: {Type: 'AWS::SNS::Topic'}}", Some("Resources: no function has a route")),
        (&function("Timeout: soon"), Some("Resources.F.Properties.Timeout: must be a whole number")),
        (
            &function("Environment: {Variables: {A: !Ref B}}"),
            Some("Resources.F.Properties.Environment.Variables.A: there is no parameter or resource B"),
        ),
        (
            &function("Environment: {Variables: {A: [1]}}"),
            Some("Resources.F.Properties.Environment.Variables.A: must be a string"),
        ),
        (
            &function("Environment: {Variables: {A: '{{resolve:ssm:x}}'}}"),
            Some("Resources.F.Properties.Environment.Variables.A: {{resolve:ssm:x}} is not known locally"),
        ),
        (
            &function("Events: {E: {Type: Api, Properties: {Method: GET}}}"),
            Some("Resources.F.Properties.Events.E.Properties.Path: is missing"),
        ),
        (
            &function("Events: {E: {Type: Api, Properties: {Path: a, Method: GET}}}"),
            Some("Resources.F.Properties.Events.E.Properties.Path: must start with a slash"),
        ),
        (
            &function("Events: {E: {Type: Api, Properties: {Path: /a, Method: GET, Auth: {Authorizer: X}}}}"),
            Some("Resources.F.Properties.Events: GET /a: X is not a Lambda authorizer of the API"),
        ),
        (&function("Events: [E]"), Some("Resources.F.Properties.Events: must be a map")),
        (
            &format!(
                "{}  Api: {{Type: 'AWS::Serverless::Api', Properties: {{Auth: {{Authorizers: {{A: {{UserPoolArn: x}}}}}}}}}}\n",
                function(route)
            ),
            Some(
                "Resources.Api.Properties.Auth.Authorizers.A: has no FunctionArn; only Lambda authorizers run locally",
            ),
        ),
        (
            &format!(
                "{}  Api: {{Type: 'AWS::Serverless::Api', Properties: {{Auth: {{Authorizers: {{A: {{FunctionArn: !GetAtt F.Arn, FunctionPayloadType: OTHER}}}}}}}}}}\n",
                function(route)
            ),
            Some("Resources.Api.Properties.Auth.Authorizers.A.FunctionPayloadType: must be TOKEN or REQUEST"),
        ),
        (
            &format!(
                "{}  Api: {{Type: 'AWS::Serverless::Api', Properties: {{GatewayResponses: {{DEFAULT_4XX: {{StatusCode: 9}}}}}}}}\n",
                function(route)
            ),
            Some(
                "Resources.Api.Properties.GatewayResponses.DEFAULT_4XX.StatusCode: must be a status from 200 to 599",
            ),
        ),
        (
            &format!(
                "{}  T: {{Type: 'AWS::DynamoDB::Table', Properties: {{KeySchema: [{{AttributeName: pk, KeyType: HASH}}], AttributeDefinitions: []}}}}\n",
                function(route)
            ),
            Some("Resources.T.Properties.KeySchema[0].AttributeName: has no entry in AttributeDefinitions"),
        ),
        (
            &format!("{}  T: {{Type: 'AWS::SNS::Topic', Condition: C}}\n", function(route)),
            Some("Resources.T.Condition: there is no condition C"),
        ),
        ("Parameters: {P: {Default: 1}}\nResources: {T: {Type: X}}", Some("Parameters.P: has no Type")),
    ] {
        let fault = evaluate(text, &[]).and_then(|template| template.api(ApiKind::Rest).cloned());
        let fault = fault.unwrap_err().to_string();
        assert!(!fault.contains('\n'), "{fault}");
        if let Some(says) = says {
            assert_eq!(fault, says);
        }
    }
}

const SOCKET: &str = "
Resources:
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: PROD
      RouteSelectionExpression: $request.body.action
      Auth:
        AuthType: CUSTOM
        AuthArn: !ImportValue other-Arn
        IdentitySource: [route.request.querystring.access_token, context.identity.sourceIp]
      Routes: {$connect: {FunctionArn: !GetAtt F.Arn}}
  F: {Type: 'AWS::Serverless::Function', Properties: {Timeout: 3}}
Conditions: {Never: !Equals [a, b]}
Outputs:
  Private: {Value: !Ref F}
  Absent: {Condition: Never, Value: !Ref F, Export: {Name: absent}}
  Public: {Value: !GetAtt F.Arn, Export: {Name: !Sub '${AWS::StackName}-F'}}
";

#[test]
fn a_websocket_api_is_read_with_its_authorizer_of_another_stack() {
    let template = evaluate(SOCKET, &[]).unwrap();
    let api = one(&template);
    assert_eq!((api.kind, api.id.as_str(), api.stage.as_str()), (ApiKind::WebSocket, "socket", "PROD"));
    let guard = &api.authorizers["Socket"];
    assert_eq!(
        (guard.function.as_str(), guard.payload, guard.ttl),
        (OTHER, AuthorizerPayload::WebSocket, Duration::ZERO)
    );
    let sources = [
        IdentitySource::Query("access_token".to_owned()),
        IdentitySource::Context("identity.sourceIp".to_owned()),
    ];
    assert_eq!(guard.identity, sources);
    let route = &api.routes[0];
    assert_eq!((route.path.as_str(), route.function.as_str()), ("$connect", "F"));
    assert_eq!(route.authorizer.as_deref(), Some("Socket"));
}

#[test]
fn what_a_stack_exports_is_what_another_one_imports() {
    let exported = "arn:aws:lambda:us-east-1:123456789012:function:latchkey-F";
    let exports = evaluate(SOCKET, &[]).unwrap().exports;
    assert_eq!(exports, BTreeMap::from([("latchkey-F".to_owned(), exported.to_owned())]));
}

#[test]
fn what_is_not_played_of_a_websocket_api_is_a_fault() {
    for (from, to, says) in [
        ("$connect:", "$default:", "Resources.Socket.Properties.Routes.$default: only $connect runs locally"),
        (
            "CUSTOM",
            "AWS_IAM",
            "Resources.Socket.Properties.Auth.AuthType: only Lambda authorizers run locally",
        ),
        (
            "route.request.querystring.",
            "$request.querystring.",
            "Resources.Socket.Properties.Auth.IdentitySource[0]: is no source of an identity",
        ),
    ] {
        let fault = evaluate(&SOCKET.replace(from, to), &[]).unwrap_err();
        assert_eq!(fault.to_string(), says);
    }
}
