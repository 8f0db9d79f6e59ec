'use strict';
// Says whether a request is authenticated as Atlassian's sites say it since query JWTs are refused.
// The cryptography and the qsh are Atlassian's own package's, so that the verdict is not this project's.

const jwt = require('atlassian-jwt');
const { baseOf } = require('./target');

const LEEWAY_SECONDS = 30;

function fieldValues(rawHeaders, name) {
  const values = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i].toLowerCase() === name) values.push(rawHeaders[i + 1]);
  }
  return values;
}

// Returns 'valid', or the name of the first thing that is wrong. `target` is splitTarget()'s.
function judge(method, target, rawHeaders, secret) {
  // Refused even when a good header is there too: a token left in the query is what the tests must catch.
  if ('jwt' in target.parameters) return 'query-jwt';

  // rawHeaders, because Node's `headers` silently drops a second Authorization.
  const values = fieldValues(rawHeaders, 'authorization');
  if (values.length === 0) return 'no-authorization';
  if (values.length > 1) return 'two-authorizations';
  const parts = /^JWT ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(values[0]);
  if (!parts) return values[0].startsWith('JWT ') ? 'malformed-token' : 'wrong-scheme';

  let claims;
  try {
    claims = jwt.decodeSymmetric(parts[1], secret, jwt.SymmetricAlgorithm.HS256);
  } catch (error) {
    // The package's message holds the token, so only its kind is told.
    return /^Signature/.test(error.message) ? 'bad-signature' : 'undecodable-token';
  }
  const now = Date.now() / 1000;
  if (!Number.isFinite(claims.exp)) return 'no-exp';
  if (claims.exp < now - LEEWAY_SECONDS) return 'expired';
  if (claims.iat > now + LEEWAY_SECONDS || claims.nbf > now + LEEWAY_SECONDS) return 'not-yet-valid';

  // The raw path by hand: the package's fromMethodAndUrl would rewrite an apostrophe in it.
  const request = { method, pathname: target.path, query: target.parameters };
  if (!claims.qsh) return 'no-qsh';
  return claims.qsh === jwt.createQueryStringHash(request, false, baseOf(target.path)) ? 'valid' : 'qsh-mismatch';
}

module.exports = { judge, fieldValues };
