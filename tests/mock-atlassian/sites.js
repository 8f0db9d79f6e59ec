'use strict';
// The virtual hosts: an Atlassian site, its media host, and a host that is not Atlassian's.
// Answers tell what arrived, never a token.

const crypto = require('node:crypto');
const { judge, fieldValues } = require('./judge');
const { splitTarget, redact } = require('./target');
const { sign } = require('./sign');

const UNAUTHENTICATED = '{"message":"Client must be authenticated to access this resource.","status-code":401}';
const ATLASSIAN = /(^|\.)(atlassian\.net|jira\.com|jira-dev\.com|atlassian-us-gov-mod\.net)$/;
const ATTACHMENT = /^(\/secure\/attachment\/[^/]+\/[^/]+|\/wiki\/rest\/api\/content\/[^/]+\/child\/attachment\/[^/]+\/download)$/;

const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

function siteOf(authority) {
  const host = authority.replace(/^.*@/, '').replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
  if (host === 'api.media.atlassian.com') return 'media';
  return ATLASSIAN.test(host) ? 'atlassian' : 'other';
}

// Anything of a token on a hop that must be anonymous: the header, the parameter, or a Referer that still carries it.
function leaks(target, rawHeaders) {
  return fieldValues(rawHeaders, 'authorization').length > 0 || 'jwt' in target.parameters ||
    fieldValues(rawHeaders, 'referer').some((value) => 'jwt' in splitTarget(value).parameters);
}

function atlassian(request, origin, options) {
  const { method, target, rawHeaders } = request;
  if (target.path === '/redirect/landing') {
    return leaks(target, rawHeaders) ? { status: 500, body: 'leak', verdict: 'leak' } : { status: 200, verdict: 'anonymous' };
  }
  const verdict = judge(method, target, rawHeaders, options.secret);
  if (verdict !== 'valid') {
    const realm = encodeURIComponent(origin);
    return { status: 401, body: UNAUTHENTICATED, verdict, fields: { 'WWW-Authenticate': `OAuth realm="${realm}"` } };
  }
  if (ATTACHMENT.test(target.path)) {
    const media = `https://api.media.atlassian.com${options.tlsPort === 443 ? '' : `:${options.tlsPort}`}`;
    return { status: 302, verdict, fields: { Location: `${media}/file?token=bWVkaWEtdG9rZW4&client=0b9c1f6e` } };
  }
  if (target.path === '/redirect/same') return { status: 302, verdict, fields: { Location: `${origin}/redirect/landing` } };
  if (target.path === '/redirect/signed') {
    const location = sign('GET', `${origin}/rest/api/2/landed?a=1`, { secret: options.secret }).url;
    return { status: 302, verdict, fields: { Location: location } };
  }
  return { status: 200, verdict };
}

function media(request) {
  return leaks(request.target, request.rawHeaders)
    ? { status: 500, body: 'leak', verdict: 'leak' }
    : { status: 200, verdict: 'anonymous' };
}

const other = () => ({ status: 200, verdict: 'not-atlassian' });

// Returns the request listener, for HTTP/1 and HTTP/2 alike.
function requestListener(tap, options) {
  return (req, res) => {
    const hash = crypto.createHash('sha256');
    let length = 0;
    req.on('data', (bytes) => {
      hash.update(bytes);
      length += bytes.length;
    });
    // The whole body is read before the answer, so that what a client sees never depends on timing.
    req.on('end', () => {
      const socket = req.stream ? req.stream.session.socket : req.socket;
      const tls = Boolean(socket.encrypted);
      const target = splitTarget(req.url);
      const hosts = fieldValues(req.rawHeaders, 'host');
      const authority = target.authority || req.headers[':authority'] || hosts[0] || '';
      const origin = `${tls ? 'https' : 'http'}://${authority}`;
      const request = { method: req.method, target, rawHeaders: req.rawHeaders };
      const site = siteOf(authority);
      const answer = hosts.length > 1
        ? { status: 400, body: 'two Host fields', verdict: 'two-hosts' }
        : { atlassian, media, other }[site](request, origin, options);

      const entry = tap.request({
        connection: req.stream ? req.stream.session.connectionNumber : socket.connectionNumber,
        protocol: req.httpVersion,
        tls,
        site,
        authority,
        method: req.method,
        target: redact(req.url),
        target_sha256: sha256(req.url),
        fields: req.rawHeaders.filter((_, i) => i % 2 === 0),
        head_sha256: sha256([req.method, req.url, req.httpVersion, ...req.rawHeaders].join('\n')),
        framing: fieldValues(req.rawHeaders, 'transfer-encoding')[0] || (fieldValues(req.rawHeaders, 'content-length').length ? 'content-length' : 'none'),
        body_length: length,
        body_sha256: hash.digest('hex'),
        verdict: answer.verdict,
        status: answer.status,
      });
      const body = answer.body || `${JSON.stringify(entry)}\n`;
      res.writeHead(answer.status, {
        'Content-Type': body.startsWith('{') ? 'application/json;charset=UTF-8' : 'text/plain',
        'Content-Length': Buffer.byteLength(body),
        'X-Verdict': answer.verdict,
        ...answer.fields,
      });
      res.end(body);
    });
  };
}

module.exports = { requestListener };
