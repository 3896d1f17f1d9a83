export { referenceFiles } from './reference/reference-files.ts';
