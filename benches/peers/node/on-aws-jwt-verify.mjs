// An authorizer on aws-jwt-verify, which knows no HMAC: the key set is given to it at the start, nothing is fetched.
import { JwtVerifier } from 'aws-jwt-verify';
import { createPublicKey } from 'node:crypto';
import { allow, token } from './answer.mjs';

const issuer = process.env.JWT_ISSUER;
const jwk = createPublicKey(process.env.JWT_PUBLIC_KEY).export({ format: 'jwk' });
const verifier = JwtVerifier.create({
  issuer,
  audience: process.env.JWT_AUDIENCE,
  jwksUri: 'https://localhost/jwks.json',
  customJwtCheck({ header }) {
    if (header.typ !== 'at+jwt' || header.alg !== process.env.JWT_ALGORITHM) throw new Error('another kind of token');
  },
});
verifier.cacheJwks({ keys: [{ ...jwk, kid: process.env.JWT_KEY_ID, alg: process.env.JWT_ALGORITHM, use: 'sig' }] });

export async function handler(event) {
  const jwt = token(event);
  let claims;
  try {
    claims = verifier.verifySync(jwt);
  } catch {
    throw new Error('Unauthorized');
  }
  if (!claims.exp || !claims.sub || !claims.sid) throw new Error('Unauthorized');
  return allow(event, claims);
}
