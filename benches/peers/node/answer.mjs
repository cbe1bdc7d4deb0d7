// What both authorizers share: where the token is in the event, and the answer of Latchkey's.

export function token(event) {
  const header = event.headers?.Authorization ?? event.headers?.authorization;
  const found = /^bearer (.+)$/i.exec(header ?? '');
  if (!found) throw new Error('Unauthorized');
  return found[1];
}

export function allow(event, claims) {
  const [arn, stage] = event.methodArn.split('/');
  const context = { userId: claims.sub, sessionId: claims.sid, email: claims.email };
  if (claims.name) context.name = claims.name;
  return {
    principalId: claims.sub,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: `${arn}/${stage}/*` }],
    },
    context,
  };
}
