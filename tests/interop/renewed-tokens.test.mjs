// examples/renewed-tokens: the same for Node, for Python and for API Gateway's parameter mapping, with the events of events/.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { withRenewedTokens } from '../../examples/renewed-tokens/renewed_tokens.mjs';

const python = process.env.PYTHON ?? 'python3';
const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const json = (path) => JSON.parse(readFileSync(file(path), 'utf8'));

const LANGUAGES = {
  Node: (event, answer) => withRenewedTokens(async () => answer)(event, {}),
  Python: (event, answer) => {
    const input = JSON.stringify({ event, answer });
    return JSON.parse(execFileSync(python, [file('renewed_tokens_witness.py')], { input, encoding: 'utf8' }));
  },
};

/** An event as REST (payload 1.0) and HTTP APIs (2.0) send it, with more in the authorizer's context. */
function event(name, renewed) {
  const made = json(`../../events/${name}.json`);
  const { authorizer } = made.requestContext;
  assert.ok(authorizer.lambda?.userId ?? authorizer.userId, `${name} passed the authorizer`);
  Object.assign(authorizer.lambda ?? authorizer, renewed);
  return made;
}

const ANSWER = { statusCode: 200, headers: { 'content-type': 'application/json', 'cache-control': 'max-age=60' }, body: '{}' };
const RENEWED = { newAccessToken: 'access', newRefreshToken: 'refresh' };
const HEADERS = {
  'content-type': 'application/json',
  'Cache-Control': 'no-store',
  Pragma: 'no-cache',
  'X-New-Token': 'access',
  'X-New-Access-Token': 'access',
};
const EXPOSED = 'X-New-Token, X-New-Access-Token, X-New-Refresh-Token';
const COOKIE = '__Secure-refresh_token=refresh; HttpOnly; SameSite=Strict; Secure; Path=/auth; Max-Age=60';

for (const [language, run] of Object.entries(LANGUAGES)) {
  for (const name of ['me', 'me-http']) {
    test(`${language}, ${name}: renewed tokens become headers that nobody keeps`, async () => {
      const rotated = await run(event(name, RENEWED), ANSWER);
      assert.deepEqual(rotated, { ...ANSWER, headers: { ...HEADERS, 'X-New-Refresh-Token': 'refresh' } });
      const renewed = await run(event(name, { newAccessToken: 'access' }), ANSWER);
      assert.deepEqual(renewed, { ...ANSWER, headers: HEADERS });
      const bare = { statusCode: 204, headers: null, multiValueHeaders: null };
      const { 'content-type': _, ...own } = HEADERS;
      assert.deepEqual(await run(event(name, { newAccessToken: 'access' }), bare), { ...bare, headers: own });
    });

    test(`${language}, ${name}: an answer without renewed tokens stays as it is`, async () => {
      for (const renewed of [{}, { newAccessToken: '', newRefreshToken: 'refresh', newRefreshCookie: COOKIE }]) {
        assert.deepEqual(await run(event(name, renewed), ANSWER), ANSWER);
      }
      const open = event(name, {});
      delete open.requestContext.authorizer;
      assert.deepEqual(await run(open, ANSWER), ANSWER);
    });

    test(`${language}, ${name}: scripts that may read the answer may read the tokens`, async () => {
      const origin = { 'access-control-allow-origin': 'https://app.example.com' };
      for (const [own, exposed] of [
        [{}, undefined],
        [{ 'Access-Control-Expose-Headers': 'ETag' }, 'ETag'],
        [origin, EXPOSED],
        [{ 'Access-Control-Allow-Origin': '*', 'ACCESS-control-expose-headers': 'ETag' }, `ETag, ${EXPOSED}`],
        [
          { ...origin, 'access-control-expose-headers': 'etag,x-new-TOKEN' },
          'etag, x-new-TOKEN, X-New-Access-Token, X-New-Refresh-Token',
        ],
      ]) {
        const { headers } = await run(event(name, RENEWED), { statusCode: 200, headers: own });
        const listed = Object.entries(headers).filter(([key]) => key.toLowerCase() === 'access-control-expose-headers');
        assert.deepEqual(listed.map(([, value]) => value), exposed === undefined ? [] : [exposed]);
      }
    });
  }

  test(`${language}: a header counts in multiValueHeaders too, in any case of its name`, async () => {
    const multiValueHeaders = {
      'Cache-control': ['public', 'max-age=60'],
      pragma: ['x'],
      'x-new-token': ['own'],
      'Access-Control-Allow-Origin': ['https://app.example.com'],
      'access-control-expose-headers': ['ETag', 'Link, X-New-Token'],
      vary: ['Origin', 'Accept'],
    };
    const answer = { ...ANSWER, multiValueHeaders };
    const given = structuredClone(answer);
    assert.deepEqual(await run(event('me', { newAccessToken: 'access' }), answer), {
      ...ANSWER,
      headers: {
        ...HEADERS,
        'Access-Control-Expose-Headers': 'ETag, Link, X-New-Token, X-New-Access-Token, X-New-Refresh-Token',
      },
      multiValueHeaders: {
        'Access-Control-Allow-Origin': ['https://app.example.com'],
        vary: ['Origin', 'Accept'],
      },
    });
    assert.deepEqual(answer, given, 'the answer of the function itself is not changed');
  });

  test(`${language}: a renewed cookie is set beside the function's own`, async () => {
    const renewed = { newAccessToken: 'access', newRefreshCookie: COOKIE };
    const cookies = async (name, own) => {
      const { headers, multiValueHeaders, cookies } = await run(event(name, renewed), { ...ANSWER, ...own });
      assert.equal(headers['X-New-Refresh-Token'], undefined);
      assert.equal(headers['X-New-Token'], 'access');
      return { headers: headers['set-cookie'], multiValueHeaders, cookies };
    };
    const none = { headers: undefined, multiValueHeaders: undefined, cookies: undefined };
    // Payload 2.0 has a field for cookies.
    assert.deepEqual(await cookies('me-http', {}), { ...none, cookies: [COOKIE] });
    const own = { cookies: ['theme=dark'], headers: { 'set-cookie': 'a=1' } };
    assert.deepEqual(await cookies('me-http', own), { ...none, headers: 'a=1', cookies: ['theme=dark', COOKIE] });
    // Else a name may have several values in multiValueHeaders alone.
    const several = (...values) => ({ ...none, multiValueHeaders: { 'Set-Cookie': values } });
    assert.deepEqual(await cookies('me', {}), several(COOKIE));
    assert.deepEqual(await cookies('me', { headers: { 'set-cookie': 'a=1' } }), several('a=1', COOKIE));
    const both = { headers: { 'set-cookie': 'b=2' }, multiValueHeaders: { 'SET-COOKIE': ['a=1', 'b=2'] } };
    assert.deepEqual(await cookies('me', both), several('a=1', 'b=2', COOKIE));
  });
}

/** "Reserved headers" in "Transform API requests and responses for HTTP APIs in API Gateway": no mapping may name them. */
const RESERVED =
  /^(access-control-.*|apigw-.*|authorization|connection|content-encoding|content-length|content-location|forwarded|keep-alive|origin|proxy-authenticate|proxy-authorization|te|trailers|transfer-encoding|upgrade|x-amz-.*|x-amzn-.*|x-forwarded-for|x-forwarded-host|x-forwarded-proto|via)$/i;

/** Response parameters, played by the rules of that page. */
function mapped(parameters, context, answer) {
  const headers = { ...answer.headers };
  for (const [key, value] of Object.entries(parameters[answer.statusCode] ?? {})) {
    const [, action, name] = /^(append|overwrite|remove):header\.([A-Za-z0-9-]+)$/.exec(key);
    assert.equal(action, 'overwrite');
    assert.doesNotMatch(name, RESERVED);
    for (const other of Object.keys(headers)) if (other.toLowerCase() === name.toLowerCase()) delete headers[other];
    const variable = /^\$context\.authorizer\.([A-Za-z]+)$/.exec(value)?.[1];
    if (!variable) assert.ok(!value.startsWith('$'), `${value} is a constant`);
    const given = variable ? context[variable] : value;
    if (given) headers[name] = given;
  }
  return { ...answer, headers };
}

test('parameter mapping: renewed tokens become headers that nobody keeps', () => {
  const parameters = json('../../examples/renewed-tokens/response-parameters.json');
  const rotated = mapped(parameters, RENEWED, ANSWER);
  assert.deepEqual(rotated.headers, { ...HEADERS, 'X-New-Refresh-Token': 'refresh' });
  const untouched = mapped(parameters, {}, { ...ANSWER, statusCode: 404 });
  assert.deepEqual(untouched.headers, ANSWER.headers, 'only the status that is named');
});
