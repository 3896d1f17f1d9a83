import { basename, extname, resolve } from 'node:path';
import { getDoor } from '../../../attempt/door.ts';
import { command, required } from '../../../command.ts';
import { choice, text } from '../../../option.ts';
import { show } from '../../../terminal/shown.ts';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.json': 'application/json',
  '.log': 'text/plain',
  '.md': 'text/markdown',
  '.patch': 'text/x-diff',
  '.diff': 'text/x-diff',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
};

export const taskArtifactAdd = command({
  name: ['task', 'artifact', 'add'],
  summary: 'hand in a file of the own attempt',
  arguments: { file: required('path of the file') },
  options: {
    name: text('--name <name>', 'name it is listed under; default: that of the file'),
    kind: choice('--kind <kind>', 'what it is', [
      'patch',
      'bundle',
      'log',
      'report',
      'screenshot',
      'file',
    ]),
    type: text('--type <media-type>', 'media type; default: from the name'),
  },
  async run(context, { file }, { name, kind, type }) {
    const path = resolve(context.cwd, file);
    const handed = await getDoor(context, '`baton task artifact add`').addArtifact({
      path,
      name: name ?? basename(path),
      kind: kind ?? 'file',
      mediaType: type ?? MEDIA_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream',
    });
    return {
      json: { state: handed.state, artifact: handed.body },
      text: show`${name ?? basename(path)} ${handed.state === 'accepted' ? 'is handed in' : 'is kept and will be sent'}`,
    };
  },
});
