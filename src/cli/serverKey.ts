/** The key that clients of `serve` must send: from a file, from a variable, or a new one that is shown once. */
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { toWriteError } from '../core/formats/stagedFile.ts';
import { TuneError } from '../shared/errors.ts';
import type { CommandArguments, CommandOption } from './command.ts';

export const keyOptions: readonly CommandOption[] = [
  {
    name: 'token-file',
    value: 'FILE',
    help: 'File that holds the key clients must send; made with a new one, readable by you alone, where there is none.',
  },
  { name: 'token-env', value: 'NAME', help: 'Variable that holds the key; default: a new key, shown once.' },
];

const minCharacters = 16;

export interface ServerKey {
  readonly key: string;
  /** It stands nowhere else: it is to be shown. */
  readonly isNew: boolean;
}

/** @throws TuneError `usage`, `not-writable` */
export function readServerKey(args: CommandArguments): ServerKey {
  const [file, variable] = [args.one('token-file'), args.one('token-env')];
  if (file !== undefined && variable !== undefined) {
    throw new TuneError('usage', 'arguments: expected either --token-file or --token-env, got both');
  }
  if (variable !== undefined) return { key: check(process.env[variable], `--token-env ${variable}`), isNew: false };
  if (file === undefined) return { key: makeKey(), isNew: true };
  return { key: readKeyFile(resolve(file)), isNew: false };
}

function readKeyFile(path: string): string {
  try {
    writeFileSync(path, `${makeKey()}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw toWriteError(error, path);
  }
  const { mode } = statSync(path);
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new TuneError(
      'usage',
      `--token-file ${path}: expected a file that you alone can read, got mode ${(mode & 0o777).toString(8)}`,
      {
        file: path,
        hint: `Take the others' rights away: chmod 600 ${path}`,
      },
    );
  }
  return check(readFileSync(path, 'utf8').trim(), `--token-file ${path}`);
}

function check(key: string | undefined, where: string): string {
  if (key !== undefined && key.length >= minCharacters && /^[\x21-\x7e]+$/.test(key)) return key;
  const got =
    key === undefined || key === '' ? 'none' : key.length < minCharacters ? `${key.length}` : 'others among them';
  throw new TuneError(
    'usage',
    `${where}: expected a key of at least ${minCharacters} printable characters without spaces, got ${got}`,
  );
}

function makeKey(): string {
  return `tf-${randomBytes(24).toString('base64url')}`;
}
