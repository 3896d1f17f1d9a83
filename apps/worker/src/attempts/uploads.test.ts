import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assignment } from '@baton/contract';
import { afterAll, expect, test } from 'vitest';
import type { WorkerConfig } from '../config.ts';
import { createUploader } from './uploads.ts';

const root = mkdtempSync(join(tmpdir(), 'baton-uploads-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('what is no plain file is refused at once: reading a pipe would never end', async () => {
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const config = { url: 'http://127.0.0.1:9' } as WorkerConfig;
  const uploader = createUploader(config, () => root);
  const it = { token: 'bata_x', attempt: { id: 'att_1', epoch: 1 } } as Assignment;
  for (const path of ['pipe', '.', '/dev/null']) {
    const added = uploader.addFile(it, { path }, AbortSignal.timeout(60_000));
    await expect(added).rejects.toMatchObject({
      code: path === '/dev/null' ? 'forbidden' : 'bad_request',
    });
  }
});
