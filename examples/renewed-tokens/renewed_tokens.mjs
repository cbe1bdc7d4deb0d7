// Tokens that Latchkey's authorizer has renewed go into the headers of the answer. Wraps a handler that answers with a
// statusCode: export const handler = withRenewedTokens(async (event) => …);
const NAMES = ['X-New-Token', 'X-New-Access-Token', 'X-New-Refresh-Token'];

export const withRenewedTokens = (handler) => async (event, context) => {
  const given = await handler(event, context);
  const authorizer = event.requestContext.authorizer ?? {};
  const { newAccessToken, newRefreshToken, newRefreshCookie } = authorizer.lambda ?? authorizer; // payload 2.0, else 1.0
  if (!newAccessToken) return given;
  const answer = { ...given, headers: { ...given.headers } };
  if (given.multiValueHeaders) answer.multiValueHeaders = { ...given.multiValueHeaders };
  set(answer, 'Cache-Control', 'no-store');
  set(answer, 'Pragma', 'no-cache');
  set(answer, 'X-New-Token', newAccessToken);
  set(answer, 'X-New-Access-Token', newAccessToken);
  if (newRefreshToken) set(answer, 'X-New-Refresh-Token', newRefreshToken);
  expose(answer);
  if (newRefreshCookie && event.version === '2.0') {
    answer.cookies = [...(answer.cookies ?? []), newRefreshCookie];
  } else if (newRefreshCookie) {
    const cookies = new Set([...take(answer, 'Set-Cookie'), newRefreshCookie]);
    answer.multiValueHeaders = { ...answer.multiValueHeaders, 'Set-Cookie': [...cookies] };
  }
  return answer;
};

/** A script of another origin reads only what is exposed to it. An HTTP API with CORS rules exposes what these say. */
function expose(answer) {
  if (!find(answer, 'Access-Control-Allow-Origin').length) return;
  const listed = take(answer, 'Access-Control-Expose-Headers').flatMap((value) => value.split(','));
  const names = listed.map((name) => name.trim()).filter(Boolean);
  const missing = NAMES.filter((name) => !names.some((other) => other.toLowerCase() === name.toLowerCase()));
  answer.headers['Access-Control-Expose-Headers'] = [...names, ...missing].join(', ');
}

function set(answer, name, value) {
  take(answer, name);
  answer.headers[name] = value;
}

/** The values of a header, which the answer has no longer. */
function take(answer, name) {
  return find(answer, name).flatMap(([fields, key]) => {
    const value = fields[key];
    delete fields[key];
    return value;
  });
}

/** Where a header is, in any case of its name: API Gateway merges both fields. */
function find({ headers, multiValueHeaders }, name) {
  const within = (fields) => Object.keys(fields).map((key) => [fields, key]);
  const all = [...within(multiValueHeaders ?? {}), ...within(headers)];
  return all.filter(([, key]) => key.toLowerCase() === name.toLowerCase());
}
