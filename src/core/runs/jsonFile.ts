/** @file Small JSON files of a run folder: checked when read, replaced whole when written. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { z } from 'zod';
import { TuneError } from '../../shared/errors.ts';
import { toWriteError } from '../formats/stagedFile.ts';

/** A run folder is untrusted input: none of its JSON files comes near this size. */
const maxJsonBytes = 16 * 1024 * 1024;

/** @throws TuneError `run-invalid` when the file is missing, too large, torn or of another shape */
export function readJson<T>(path: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    const { size } = statSync(path);
    if (size > maxJsonBytes) throw new Error(`${size} bytes`);
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const got = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new TuneError('run-invalid', `${path}: expected JSON, got ${got}`, {
      file: path,
      hint: 'The run folder is incomplete or damaged; other runs are not affected.',
      cause: error,
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? '' : `, ${issue.path.join('.')}`;
  throw new TuneError('run-invalid', `${path}${place}: expected a file of this program, got ${issue?.message}`, {
    file: path,
    hint: 'The run folder was written by another version or damaged.',
  });
}

/**
 * Replaces the file whole. Without `isDurable` a power cut may bring the old content back, which is fine for a heartbeat.
 * @throws TuneError `disk-full` | `not-writable`
 */
export function writeJson(path: string, value: unknown, isDurable = true): void {
  const staged = `${path}.${process.pid}.tmp`;
  try {
    const descriptor = openSync(staged, 'w', 0o644);
    try {
      writeFileSync(descriptor, `${JSON.stringify(value, null, 2)}\n`);
      if (isDurable) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(staged, path);
  } catch (error) {
    rmSync(staged, { force: true });
    throw toWriteError(error, path);
  }
}
