/** @file The channel to whoever started this process: one command down, one answer up. */
import type { WireError } from '../../shared/errors.ts';

export type TrackerReply =
  | { type: 'accepted' }
  | { type: 'refused'; error: WireError }
  | { type: 'synced'; link: string | null };

const commandTimeoutMs = 30_000;

/** The first message, unchecked; undefined when none comes. */
export function takeCommand(): Promise<unknown> {
  if (!process.connected) return Promise.resolve(undefined);
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(undefined), commandTimeoutMs);
    process.once('message', message => {
      clearTimeout(timer);
      resolve(message);
    });
    process.once('disconnect', () => resolve(undefined));
  });
}
