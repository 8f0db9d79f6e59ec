'use strict';
// A request target taken apart as it stands: authority, raw path, raw query and decoded parameters.
// Never normalises a byte: the judge hashes the path exactly as it arrived.

const querystring = require('node:querystring');

function splitTarget(target) {
  const absolute = /^(https?):\/\/([^/?#]*)/i.exec(target);
  const rest = absolute ? target.slice(absolute[0].length) : target;
  const mark = rest.indexOf('?');
  const path = mark < 0 ? rest : rest.slice(0, mark);
  const query = mark < 0 ? '' : rest.slice(mark + 1);
  return {
    authority: absolute ? absolute[2] : undefined,
    path,
    query,
    // maxKeys 0: parameters behind the thousandth count too.
    parameters: querystring.parse(query, '&', '=', { maxKeys: 0 }),
  };
}

// Confluence lives under a context path, which its qsh leaves out.
function baseOf(path) {
  return path === '/wiki' || path.startsWith('/wiki/') ? 'https://site.atlassian.net/wiki' : undefined;
}

// For journals and answers: the target without the value of any parameter named jwt, and without anything else that looks like a token.
function redact(target) {
  return target
    .replace(/([?&])([^=&#]*)=([^&#]*)/g, (whole, separator, name) =>
      querystring.unescape(name) === 'jwt' ? `${separator}${name}=<token>` : whole)
    .replace(/eyJ[\w%-]*(?:\.|%2[Ee])[\w%-]+(?:\.|%2[Ee])[\w%-]+/g, '<token>');
}

module.exports = { splitTarget, baseOf, redact };
