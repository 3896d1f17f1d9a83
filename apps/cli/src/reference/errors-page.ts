import { ERROR_CODES, type ErrorCode } from '@baton/contract';
import { EXIT_CODES, exitOfCode } from '../exit-codes.ts';

/** `docs/reference/errors.md`: every code, its HTTP status, and the command line's exit code. */
export function errorsPage(): string {
  const rows = (Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => {
    const { status, retry } = ERROR_CODES[code];
    return `| \`${code}\` | ${status} | ${retry ? 'yes' : 'no'} | ${EXIT_CODES[exitOfCode(code)].code} |`;
  });
  return `# Errors

Made from \`packages/contract/src/errors.ts\` by \`npx tsx --conditions=source scripts/generate/reference.ts\`.

A refused request is answered with a problem document (RFC 9457): \`code\` is stable and never renamed, \`detail\` is one sentence that names the way out, \`facts\` holds details by name, \`violations\` what is wrong with a body, place by place, \`instance\` the id under which the server's log has it. With \`retry\` the same call may be sent again unchanged. The command line prints the same (\`--json\`: on standard error) and exits with the code in the last column.

| code | HTTP status | retry | exit code |
|---|---|---|---|
${rows.join('\n')}
`;
}
