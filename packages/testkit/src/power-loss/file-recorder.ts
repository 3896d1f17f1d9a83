import { pathToFileURL } from 'node:url';

/** URL of the layer that records file operations into `journal`; with `dropSync`, as if none was forced. */
export function fileRecorder(journal: string, dropSync = false): string {
  const url = new URL('./file-recorder.mjs', import.meta.url);
  url.searchParams.set('journal', journal);
  if (dropSync) url.searchParams.set('drop', 'sync');
  return url.protocol === 'file:' ? url.href : pathToFileURL(url.pathname).href;
}

/** URL of the layer that finds no room on the disk while the file `full` is there. */
export function fullDisk(full: string): string {
  const url = new URL('./full-disk.mjs', import.meta.url);
  url.searchParams.set('full', full);
  return url.href;
}
