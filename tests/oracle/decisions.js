// Where llhttp or the shim gives up on a stream and the other goes on, on purpose: who, with which code, in which part of
// the request, and what stands there. It never excuses two different places for one request's end. A row that no stream
// reached is stale and fails, unless it says that llhttp does so somewhere: in some versions or builds.
'use strict';

module.exports = [
  {
    who: /^shim: not-http/,
    part: 'request line',
    request: /^(PURGE|M-SEARCH|LINK) /,
    why: 'a method outside the list of known ones is opaque to the shim, since other protocols begin with words too',
  },
  {
    who: /^shim: (not-http|head-malformed)/,
    request: /^\S+ {2}|^\S+ \S+ {2,}HTTP/,
    why: 'one space, not two, separates the parts of a request line (RFC 9112, 3)',
  },
  {
    who: /^shim: (not-http|head-malformed)/,
    request: /HTTP\/(?!1\.[01]\r?\n)\S*\s*$/,
    why: 'only HTTP/1.0 and HTTP/1.1 are understood',
  },
  {
    who: /^shim: (not-http|head-malformed)/,
    request: /^\S+ \S+\r?\n$/,
    why: 'a request line without a version, HTTP/0.9, is opaque',
  },
  {
    who: /^shim: framing-conflict/,
    head: /^transfer-encoding:[^]*^transfer-encoding:/im,
    why: 'Transfer-Encoding on two lines is opaque, whatever the list they make',
  },
  {
    who: /^shim: framing-unknown/,
    head: /^.* HTTP\/1\.0\r?\n[^]*^transfer-encoding:/im,
    why: 'Transfer-Encoding in HTTP/1.0 is faulty framing (RFC 9112, 6.1)',
  },
  {
    who: /^shim: framing-unknown/,
    head: /^transfer-encoding:[ \t]*\r?$/im,
    why: 'an empty Transfer-Encoding is a coding that is not understood',
  },
  {
    who: /^shim: head-malformed/,
    head: /\0/,
    somewhere: true,
    why: 'a NUL makes a field line malformed, whatever else llhttp was told to allow',
  },
  {
    who: /^llhttp: HPE_INVALID_TRANSFER_ENCODING/,
    part: 'field',
    line: /: chunked, \r?\n$/i,
    why: 'empty elements of the list of codings are ignored (RFC 9110, 5.6.1)',
  },
  {
    who: /^shim: upgrade/,
    head: /^upgrade:/im,
    why: 'a head with Upgrade is the last one understood, also without Connection: upgrade, and also if a body follows',
  },
  {
    who: /^shim: head-malformed/,
    head: /^[^\n]*\n[ \t]|\n[^\n:]*[ \t][^\n:]*:|\n:/,
    somewhere: true,
    why: 'a blank in a field name or before the colon, no name, or a fold before the first field line: malformed (RFC 9112, 5.1 and 2.2)',
  },
  {
    who: /^llhttp: HPE_INVALID_URL/,
    part: 'request line',
    line: /[\x80-\xff]/,
    somewhere: true,
    why: 'raw bytes beyond ASCII in a target are kept: real clients send UTF-8',
  },
  {
    who: /^llhttp: HPE_INVALID_URL/,
    part: 'request line',
    line: /^\S+ https?:\/\/[^/?#\s]*#/,
    why: 'an absolute-form target may have a fragment and no path',
  },
  {
    who: /^llhttp: HPE_(INVALID_HEADER_TOKEN|LF_EXPECTED|STRICT)/,
    part: 'field',
    request: /^(?![^]*[?&]jwt=)/,
    line: /^[^crtu]/i,
    why: 'in a head without a jwt, only fields whose names begin like those that matter are read at all',
  },
  {
    who: /^llhttp: HPE_(INVALID_HEADER_TOKEN|INVALID_CONTENT_LENGTH|INVALID_TRANSFER_ENCODING|UNEXPECTED_CONTENT_LENGTH)/,
    part: 'body',
    line: /^(Content-Length: 9|Transfer-Encoding: chunked|nonsense|X : 1| fold| )\r\n$/,
    why: 'trailers are passed by their line ends alone',
  },
  {
    who: /^llhttp: HPE_(STRICT|INVALID_CHUNK_SIZE)/,
    part: 'body',
    line: /^[0-9A-Fa-f]+[ \t]*;.*\r\n$/,
    why: 'blanks around a chunk extension are allowed (RFC 9112, 7.1.1)',
  },
  {
    who: /^llhttp: HPE_INVALID_CHUNK_SIZE/,
    part: 'body',
    line: /^3 \r\n$/,
    why: 'blanks behind a chunk size are read over',
  },
  {
    who: /^llhttp: HPE_(CR_EXPECTED|STRICT|INVALID_CHUNK_SIZE|INVALID_HEADER_TOKEN)/,
    part: 'body',
    line: /^(?:3(?:;a)?|abc)?\n$/,
    why: 'a bare LF ends the lines of a chunked body too, as a client that sends LF writes them',
  },
  {
    who: /^llhttp: HPE_INVALID_CHUNK_SIZE/,
    part: 'body',
    line: /^0\r\n$/,
    somewhere: true,
    why: 'a bare LF behind chunk data: some versions of llhttp take the byte behind it for the LF',
  },
];
