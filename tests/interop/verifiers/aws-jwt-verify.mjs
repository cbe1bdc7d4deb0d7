import { JwtVerifier } from 'aws-jwt-verify';

// It asks for the keys at /.well-known/jwks.json below the issuer.
const verifier = JwtVerifier.create({
  issuer: process.env.JWT_ISSUER, // https://auth.example.com
  audience: process.env.JWT_AUDIENCE, // urn:latchkey:api
  customJwtCheck: ({ header, jwk }) => {
    if (header.typ !== 'at+jwt') throw new Error(`a token of type ${header.typ}`);
    if (jwk.alg !== process.env.JWT_ALGORITHM) throw new Error(`a key for ${jwk.alg}`);
  },
});

export async function verify(token) {
  return await verifier.verify(token);
}
