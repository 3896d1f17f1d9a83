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

parentPort.on('message', ({ id, mode, schema, data }) => {
  let validate;
  try {
    validate = compile(schema);
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    parentPort.postMessage(mode === 'schema' ? { id, fault } : { id, violations: [fault] });
    return;
  }
  if (mode === 'schema') parentPort.postMessage({ id, fault: null });
  else if (validate(data)) parentPort.postMessage({ id, violations: [] });
  else
    parentPort.postMessage({
      id,
      violations: (validate.errors ?? []).slice(0, violationsMax).map(say),
    });
});
parentPort.postMessage('ready');
