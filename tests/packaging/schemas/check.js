// Reads a JSON array of Kubernetes objects and answers an array of what is wrong with each: by the schema's validator (what must be there, kinds,
// patterns) and, since that lets unknown fields pass, by TypeScript's types made from the same schema.
'use strict';
const path = require('node:path');
const ts = require('typescript');

const MODULES = {
  'apps/v1': 'kubernetes-models/apps/v1',
  'batch/v1': 'kubernetes-models/batch/v1',
  v1: 'kubernetes-models/v1',
  'kyverno.io/v1': '@kubernetes-models/kyverno/kyverno.io/v1',
};

function bySchema(object, module) {
  const Model = require(module)[object.kind];
  try {
    new Model(object).validate();
    return [];
  } catch (error) {
    return [error.message];
  }
}

function byTypes(objects) {
  const virtual = path.join(__dirname, 'objects.ts');
  const text = objects.map((object, i) =>
    `import { I${object.kind} as T${i} } from ${JSON.stringify(MODULES[object.apiVersion])};\n` +
    `export const o${i}: T${i} = ${JSON.stringify(object)};\n`).join('');
  const options = { strict: true, noEmit: true, skipLibCheck: true, types: [], module: ts.ModuleKind.CommonJS,
    moduleResolution: ts.ModuleResolutionKind.Node10, target: ts.ScriptTarget.ES2020, ignoreDeprecations: '5.0' };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, ...rest) => (name === virtual ? ts.createSourceFile(name, text, options.target) : getSourceFile.call(host, name, ...rest));
  host.fileExists = (name) => name === virtual || fileExists.call(host, name);
  host.readFile = (name) => (name === virtual ? text : readFile.call(host, name));
  const program = ts.createProgram([virtual], options, host);
  const found = objects.map(() => []);
  for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ');
    if (!diagnostic.file) throw new Error(message);
    const line = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start).line;
    found[Math.floor(line / 2)].push(message);
  }
  return found;
}

const objects = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const types = byTypes(objects);
console.log(JSON.stringify(objects.map((object, i) => [
  ...bySchema(object, MODULES[object.apiVersion]), ...types[i]])));
