// Tokens that Latchkey's authorizer has renewed go into the headers of the answer. Wraps a handler that answers with a
// statusCode: export const handler = withRenewedTokens(async (event) => …);
export const withRenewedTokens = (handler) => async (event, context) => {
  const answer = await handler(event, context);
  const authorizer = event.requestContext.authorizer ?? {};
  const { newAccessToken, newRefreshToken } = authorizer.lambda ?? authorizer; // payload 2.0, else 1.0
  if (!newAccessToken && !newRefreshToken) return answer;
  const kept = Object.entries(answer.headers ?? {}).filter(([name]) => name.toLowerCase() !== 'cache-control');
  const headers = { ...Object.fromEntries(kept), 'Cache-Control': 'no-store' };
  if (newAccessToken) headers['X-New-Token'] = headers['X-New-Access-Token'] = newAccessToken;
  if (newRefreshToken) headers['X-New-Refresh-Token'] = newRefreshToken;
  return { ...answer, headers };
};
