// Validates JSON Schema 2020-12 on a thread of its own, so that a slow schema cannot hold the event loop.
// Messages in: {id, schema, data?, mode: 'schema' | 'data'}. Out: {id, fault: string|null} or {id, violations: string[]};
// first of all 'ready': loading takes its time on a busy machine, and is no fault of the first schema.
import { parentPort } from 'node:worker_threads';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const violationsMax = 20;
const compiledMax = 200;
const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true, logger: false });
addFormats.default(ajv);
const compiled = new Map();

function compile(schema) {
  const key = JSON.stringify(schema);
  let validate = compiled.get(key);
  if (validate === undefined) {
    validate = ajv.compile(schema);
    if (compiled.size >= compiledMax) compiled.delete(compiled.keys().next().value);
    compiled.set(key, validate);
    ajv.removeSchema(schema);
  }
  return validate;
}

function say(error) {
  const where = error.instancePath === '' ? '(root)' : error.instancePath;
  const extra =
    error.keyword === 'additionalProperties' ? ` "${error.params.additionalProperty}"` : '';
  return `${where} ${error.message}${extra}`;
}

function answer(mode, schema, data) {
  try {
    const validate = compile(schema);
    if (mode === 'schema') return { fault: null };
    if (validate(data)) return { violations: [] };
    return { violations: (validate.errors ?? []).slice(0, violationsMax).map(say) };
  } catch (error) {
    // Also while validating: a schema may refer to itself without end.
    const fault = error instanceof Error ? error.message : String(error);
    return mode === 'schema' ? { fault } : { violations: [fault] };
  }
}

parentPort.on('message', ({ id, mode, schema, data }) => {
  parentPort.postMessage({ id, ...answer(mode, schema, data) });
});
parentPort.postMessage('ready');
