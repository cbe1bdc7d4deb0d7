import { createRemoteJWKSet, jwtVerify } from 'jose';

const issuer = process.env.JWT_ISSUER; // https://auth.example.com
const audience = process.env.JWT_AUDIENCE; // urn:latchkey:api
const algorithms = [process.env.JWT_ALGORITHM]; // RS256, ES256 or EdDSA, never what the token says
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));

export async function verify(token) {
  const requiredClaims = ['exp', 'sub', 'sid'];
  const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms, typ: 'at+jwt', requiredClaims });
  return payload;
}
