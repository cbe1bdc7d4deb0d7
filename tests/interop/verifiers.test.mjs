// Verifiers that have never heard of Latchkey, for real, with a key rotation in the middle.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac, generateKeyPairSync, sign as signature } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { AUDIENCE, Latchkey } from './latchkey.mjs';

const python = process.env.PYTHON ?? 'python3';
const VERIFIERS = {
  jose: ['node', 'witness.mjs', 'jose'],
  'aws-jwt-verify': ['node', 'witness.mjs', 'aws-jwt-verify'],
  PyJWT: [python, 'witness.py'],
};

/** The JWK set may be kept for so long (`Cache-Control: max-age`), in seconds. */
const CACHE_LIFETIME = 300;

/** What the verifier for PyJWT allows clocks to differ, in seconds. */
const LEEWAY = 5;

const KEYS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048, ...PEM }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256', ...PEM }),
  EdDSA: () => generateKeyPairSync('ed25519', PEM),
};
const PEM = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
};

/** A verifier in a process of its own. */
class Witness {
  constructor(command, environment) {
    const [program, ...args] = command;
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    const env = { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', ...environment };
    this.process = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async ask(line) {
    this.process.stdin.write(`${line}\n`);
    const { value, done } = await this.lines.next();
    assert.ok(!done, 'the verifier has ended');
    return JSON.parse(value);
  }

  async accepts(token, what) {
    const answer = await this.ask(token);
    assert.equal(answer.error, undefined, what);
    assert.equal(answer.claims.sub, claims(token).sub);
  }

  async refuses(token, what) {
    const answer = await this.ask(token);
    assert.equal(answer.claims, undefined, `${what} was accepted`);
  }

  async stop() {
    const ended = once(this.process, 'exit');
    this.process.stdin.end();
    await ended;
  }
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

/** Tokens that nobody may accept, made of a good one. */
function forgeries(token, publicKey) {
  const [head, body, signature] = token.split('.');
  const hmac = `${part({ ...header(token), alg: 'HS256' })}.${body}`;
  return {
    'a changed claim': [head, part({ ...claims(token), sub: 'somebody-else' }), signature].join('.'),
    'no signature': `${part({ ...header(token), alg: 'none' })}.${body}.`,
    'the public key as an HMAC secret': `${hmac}.${createHmac('sha256', publicKey).update(hmac).digest('base64url')}`,
    'an unknown key': [part({ ...header(token), kid: 'unknown' }), body, signature].join('.'),
  };
}

/** The token as a service whose clock is so many seconds ahead would have issued it. */
function ahead(token, privateKey, seconds) {
  const { iat, exp, nbf, ...rest } = claims(token);
  const moved = { ...rest, iat: iat + seconds, exp: exp + seconds, ...(nbf === undefined ? {} : { nbf: nbf + seconds }) };
  const signed = `${part(header(token))}.${part(moved)}`;
  const digest = header(token).alg === 'EdDSA' ? null : 'sha256';
  const made = signature(digest, Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${made.toString('base64url')}`;
}

for (const [algorithm, generate] of Object.entries(KEYS)) {
  test(`${algorithm}: every verifier follows a rotation of keys`, async (t) => {
    const latchkey = await Latchkey.start();
    t.after(() => latchkey.stop());
    const environment = {
      JWT_ISSUER: latchkey.issuer,
      JWT_AUDIENCE: AUDIENCE,
      JWT_ALGORITHM: algorithm,
      NODE_EXTRA_CA_CERTS: latchkey.certificate,
      SSL_CERT_FILE: latchkey.certificate,
    };
    const witness = (command, other = {}) => {
      const made = new Witness(command, { ...environment, ...other });
      t.after(() => made.stop());
      return made;
    };
    const [old, next] = [generate(), generate()];
    const sign = (keys, published, other = {}) =>
      latchkey.configure({
        JWT_ALGORITHM: algorithm,
        JWT_PRIVATE_KEY: keys.privateKey,
        JWT_PUBLIC_KEY: keys.publicKey,
        JWT_PREVIOUS_PUBLIC_KEYS: published,
        ...other,
      });

    await sign(old, '', { ACCESS_TOKEN_EXPIRY: '1s' });
    const expired = (await latchkey.tokens()).accessToken;
    await sign(old, '');
    const { accessToken: first, refreshToken } = await latchkey.tokens();
    assert.equal(header(first).alg, algorithm);
    await sleep(1000 * (claims(expired).exp + LEEWAY + 1) - Date.now());

    const servers = {};
    for (const [name, command] of Object.entries(VERIFIERS)) {
      const server = (servers[name] = witness(command));
      await server.accepts(first, `${name}: a good token`);
      const early = ahead((await latchkey.tokens()).accessToken, old.privateKey, LEEWAY - 2);
      await server.accepts(early, `${name}: a token of a clock that is ahead`);
      await server.refuses(refreshToken, `${name}: a refresh token`);
      await server.refuses(expired, `${name}: an expired token`);
      for (const [what, forged] of Object.entries(forgeries(first, old.publicKey))) {
        await server.refuses(forged, `${name}: ${what}`);
      }
      await witness(command, { JWT_AUDIENCE: 'https://other.example.com' }).refuses(first, `${name}: another audience`);
      // What comes next comes after the documents' lifetime: whoever asks again then knows the new key before it signs.
      await server.ask(`+${CACHE_LIFETIME}`);
    }

    await sign(old, next.publicKey);
    const second = (await latchkey.tokens()).accessToken;
    const [oldKid, nextKid] = await latchkey.kids();
    assert.deepEqual([header(first).kid, header(second).kid], [oldKid, oldKid], 'the new key is published, the old one signs');
    assert.notEqual(nextKid, oldKid);
    for (const [name, server] of Object.entries(servers)) {
      await server.accepts(second, `${name}: a token of the old key beside the new one`);
      await server.ask(`+${CACHE_LIFETIME}`);
    }

    await sign(next, old.publicKey);
    const third = (await latchkey.tokens()).accessToken;
    assert.deepEqual(await latchkey.kids(), [nextKid, oldKid]);
    assert.equal(header(third).kid, nextKid, 'the new key signs');
    for (const [name, server] of Object.entries(servers)) {
      await server.accepts(third, `${name}: a token of the new key`);
      await server.accepts(first, `${name}: an old token after the rotation`);
      await server.ask(`+${2 * CACHE_LIFETIME}`);
    }

    await sign(next, '');
    assert.deepEqual(await latchkey.kids(), [nextKid], 'the retired key is gone');
    for (const [name, command] of Object.entries(VERIFIERS)) {
      await servers[name].accepts(third, `${name}: the new key alone`);
      await witness(command).refuses(first, `${name}: a token of a retired key`);
    }
    await servers.jose.refuses(first, 'jose: a token of a retired key, ten minutes later');
    await servers.PyJWT.refuses(first, 'PyJWT: a token of a retired key, ten minutes later');
    // Its cache has no end. It asks again when it meets a key that it does not know; then the retired one is gone.
    await servers['aws-jwt-verify'].accepts(first, 'aws-jwt-verify: a key that it still has');
    await servers['aws-jwt-verify'].refuses(forgeries(third, next.publicKey)['an unknown key'], 'an unknown key');
    await servers['aws-jwt-verify'].refuses(first, 'aws-jwt-verify: a retired key, when it has asked again');
  });
}
