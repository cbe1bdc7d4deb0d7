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
  'X-New-Token': 'access',
  'X-New-Access-Token': 'access',
};

for (const [language, run] of Object.entries(LANGUAGES)) {
  for (const name of ['me', 'me-http']) {
    test(`${language}, ${name}: renewed tokens become headers that nobody keeps`, async () => {
      const rotated = await run(event(name, RENEWED), ANSWER);
      assert.deepEqual(rotated, { ...ANSWER, headers: { ...HEADERS, 'X-New-Refresh-Token': 'refresh' } });
      const renewed = await run(event(name, { newAccessToken: 'access' }), ANSWER);
      assert.deepEqual(renewed, { ...ANSWER, headers: HEADERS });
    });

    test(`${language}, ${name}: an answer without renewed tokens stays as it is`, async () => {
      assert.deepEqual(await run(event(name, {}), ANSWER), ANSWER);
      const open = event(name, {});
      delete open.requestContext.authorizer;
      assert.deepEqual(await run(open, ANSWER), ANSWER);
    });
  }
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
