import { TuneError } from '../../../../src/shared/errors.ts';

/** The TuneError that `action` throws; anything else it throws goes on, and so does its success, as a failure. */
export function catchTuneError(action: () => unknown): TuneError {
  try {
    action();
  } catch (error) {
    if (error instanceof TuneError && error.code !== 'internal') return error;
    throw error;
  }
  throw new Error('expected a TuneError, got success');
}
