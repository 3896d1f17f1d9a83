import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '@baton/contract';
import type { Input } from '../context.ts';

/** What a person means by text: itself, `@file`, or `-` for standard input. */
export async function readText(text: string, cwd: string, input: Input): Promise<string> {
  if (text === '-') return input.readAll();
  return text.startsWith('@') ? readTextFile(text.slice(1), cwd) : text;
}

/** @throws AppError not_found */
export async function readTextFile(path: string, cwd: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, path), 'utf8');
  } catch (error) {
    throw new AppError('not_found', `Cannot read ${path}. Does it exist?`, { cause: error });
  }
}
