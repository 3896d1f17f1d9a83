import { pathToFileURL } from 'node:url';

/** URL of the layer that records file operations into `journal`; with `dropSync`, as if none was forced. */
export function fileRecorder(journal: string, dropSync = false): string {
  const url = new URL('./file-recorder.mjs', import.meta.url);
  url.searchParams.set('journal', journal);
  if (dropSync) url.searchParams.set('drop', 'sync');
  return url.protocol === 'file:' ? url.href : pathToFileURL(url.pathname).href;
}
