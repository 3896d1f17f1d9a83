import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@baton/contract';
import { afterAll, describe, expect, test } from 'vitest';
import { writeClientFile } from './client-file.ts';
import { readConfig } from './config.ts';

const dir = mkdtempSync(join(tmpdir(), 'baton-config-'));
afterAll(() => rmSync(dir, { recursive: true }));

const FILE_URL = 'http://127.0.0.1:4700';
const withFile = join(dir, 'with-file');
writeClientFile(withFile, { url: FILE_URL, key: 'bat_file' });

describe('the configuration', () => {
  test('has defaults for a machine that says nothing', () => {
    const config = readConfig({ HOME: '/home/ann' });
    expect(config).toMatchObject({
      dataDir: '/home/ann/.local/share/baton',
      host: '127.0.0.1',
      port: 4664,
      target: { url: 'http://127.0.0.1:4664', token: undefined },
      hasColor: true,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('lies in XDG_DATA_HOME where that is a path', () => {
    expect(readConfig({ HOME: '/h', XDG_DATA_HOME: '/data' }).dataDir).toBe('/data/baton');
    expect(readConfig({ HOME: '/h', XDG_DATA_HOME: 'data' }).dataDir).toBe('/h/.local/share/baton');
  });

  test('takes a flag before the environment, and an empty variable for none', () => {
    const env = { HOME: '/h', BATON_PORT: '1', BATON_HOST: '', BATON_SLOTS: '3' };
    expect(readConfig(env, { port: '0' })).toMatchObject({ port: 0, host: '127.0.0.1', slots: 3 });
  });

  test('tells all faults at once, each with its flag and variable', () => {
    const read = () => readConfig({ BATON_PORT: 'x', BATON_SLOTS: '0', BATON_URL: 'ftp://a' });
    expect(read).toThrow(AppError);
    expect(read).toThrow(
      'The configuration has faults. ' +
        '--port, BATON_PORT: the port must be a number from 0 to 65535. ' +
        '--slots, BATON_SLOTS: slots must be at least 1. ' +
        '--url, BATON_URL: must be an address such as http://127.0.0.1:4664.',
    );
  });

  test('has no colours with NO_COLOR', () => {
    expect(readConfig({ NO_COLOR: '1' }).hasColor).toBe(false);
  });
});

describe('address and key', () => {
  const targetOf = (env: Record<string, string>, flags = {}) =>
    readConfig({ BATON_DATA_DIR: withFile, ...env }, flags).target;

  test('come from client.json, which only its owner may read', () => {
    expect(targetOf({})).toEqual({ url: FILE_URL, token: 'bat_file' });
    expect(statSync(join(withFile, 'client.json')).mode & 0o777).toBe(0o600);
  });

  test('come from the environment before that', () => {
    expect(targetOf({ BATON_API_KEY: 'bat_env' })).toEqual({ url: FILE_URL, token: 'bat_env' });
  });

  test('never send the key of one control plane to another', () => {
    expect(targetOf({}, { url: 'http://example.org' })).toEqual({
      url: 'http://example.org',
      token: undefined,
    });
    expect(targetOf({ BATON_URL: `${FILE_URL}/` }).token).toBe('bat_file');
  });

  test("are an attempt's own inside of one, not its machine's", () => {
    expect(targetOf({ BATON_URL: FILE_URL, BATON_TOKEN: 'bata_own' }).token).toBe('bata_own');
  });
});
