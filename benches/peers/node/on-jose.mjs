// An authorizer on jose: the key is imported once, at the start.
import { importSPKI, jwtVerify } from 'jose';
import { createSecretKey } from 'node:crypto';
import { allow, token } from './answer.mjs';

const algorithm = process.env.JWT_ALGORITHM;
const key = algorithm === 'HS256'
  ? createSecretKey(process.env.JWT_SECRET, 'utf8')
  : await importSPKI(process.env.JWT_PUBLIC_KEY, algorithm);
const options = {
  algorithms: [algorithm],
  typ: 'at+jwt',
  issuer: process.env.JWT_ISSUER,
  audience: process.env.JWT_AUDIENCE,
  requiredClaims: ['exp', 'sub', 'sid'],
};

export async function handler(event) {
  const jwt = token(event);
  let verified;
  try {
    verified = await jwtVerify(jwt, key, options);
  } catch {
    throw new Error('Unauthorized');
  }
  return allow(event, verified.payload);
}
