/** @file A user's error that names no place -> the same error with the file it is about in front. */
import { TuneError } from '../../shared/errors.ts';

/** Runs `act`; a TuneError without a file leaves it with `path` as its file. */
export function nameFile<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof TuneError) || error.file !== undefined) throw error;
    const { code, message, hint } = error;
    throw new TuneError(code, `${path}: ${message}`, { file: path, hint, cause: error });
  }
}
