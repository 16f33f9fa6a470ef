/** @file The JSON files of a model folder, bounded in size, with the file's name in every error. */
import { readFileSync, statSync } from 'node:fs';
import { type ErrorCode, TuneError } from '../../shared/errors.ts';

/** The largest tokenizer.json in use have about 35 MB. */
const maxJsonBytes = 256 * 1024 * 1024;

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws TuneError with `code` when the file is too large, unreadable or not JSON. */
export function readJsonFile(path: string, code: ErrorCode): unknown {
  try {
    const { size } = statSync(path);
    if (size > maxJsonBytes) {
      throw new TuneError(code, `${path}: expected at most ${maxJsonBytes} bytes of JSON, got ${size}`, { file: path });
    }
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof TuneError) throw error;
    const got = error instanceof SyntaxError ? error.message : ((error as NodeJS.ErrnoException).code ?? String(error));
    throw new TuneError(code, `${path}: expected JSON, got ${got}`, {
      file: path,
      hint: 'The file is damaged or cut short: download it again.',
      cause: error,
    });
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
