/** @file The channel to whoever started this process: one command down, one answer up. */
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
