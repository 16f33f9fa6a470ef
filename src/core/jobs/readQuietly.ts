/** @file Something read from a run that may be damaged -> undefined in place of a TuneError: such a run is passed over. */
import { TuneError } from '../../shared/errors.ts';

export function readQuietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TuneError) return undefined;
    throw error;
  }
}
