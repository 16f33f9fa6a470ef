/** @file Work that reports by callback -> a stream of phase events, a few a second, and its result. */
import type { JobEvent } from './jobEvents.ts';

const flushMs = 150;

/** Progress within one phase is thinned out; what it said last is always told. */
export async function* streamPhases<T>(
  work: (onPhase: (name: string, done: number, total: number) => void) => Promise<T>,
): AsyncGenerator<JobEvent, T> {
  let waiting: JobEvent | undefined;
  let isDone = false;
  const result = work((name, done, total) => {
    waiting = { kind: 'phase', name, done, total };
  });
  const settled = result.then(
    () => {
      isDone = true;
    },
    () => {
      isDone = true;
    },
  );
  while (!isDone) {
    let timer: NodeJS.Timeout | undefined;
    const tick = new Promise<void>(resolve => {
      timer = setTimeout(resolve, flushMs);
    });
    await Promise.race([settled, tick]);
    clearTimeout(timer);
    if (waiting !== undefined) yield waiting;
    waiting = undefined;
  }
  return result;
}
