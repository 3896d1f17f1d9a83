export { openDirectoryLock, type DirectoryLock, type LockInfo } from './directory-lock.ts';
