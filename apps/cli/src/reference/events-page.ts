import { EVENTS } from '@baton/contract';

/** `docs/reference/events.md`: every event, its data, and who wants to hear of it. */
export function eventsPage(): string {
  const rows = Object.entries(EVENTS).map(([type, { data, audience }]) => {
    const fields = data.map((field) => `\`${field}\``).join(', ');
    return `| \`${type}\` | ${fields} | ${audience.join(', ')} |`;
  });
  return `# Events

Made from \`packages/contract/src/event.ts\` by \`npx tsx --conditions=source scripts/generate/reference.ts\`.

Every event is on the feed (\`GET /api/v1/events\`, as JSON or server-sent events) with \`pos\` (dense over the feed), \`run_seq\` (dense in its run), \`cursor\` (\`<incarnation>.<pos>\`, given as \`Last-Event-ID\` to resume), project, run, task, attempt, \`actor\` {kind, id, name}, \`cause\` (the command), and \`at\`. It is written in the transaction of the change that it tells. Names are \`noun.past\` and are never renamed; fields of \`data\` are added, never changed in meaning, and may be absent. Some events are listed whose commands are not built yet.

| type | data | audience beside the feed |
|---|---|---|
${rows.join('\n')}
`;
}
