/** @file Work that tells by callback, in several places at once -> a stream of its events, and its result. */
import type { JobEvent } from './jobEvents.ts';

/** Every event in the order of its telling; an error of the work comes after them. */
export async function* streamEvents<T>(
  work: (emit: (event: JobEvent) => void) => Promise<T>,
): AsyncGenerator<JobEvent, T> {
  const waiting: JobEvent[] = [];
  let isDone = false;
  let wake = (): void => undefined;
  const result = work(event => {
    waiting.push(event);
    wake();
  });
  const settle = () => {
    isDone = true;
    wake();
  };
  result.then(settle, settle);
  for (;;) {
    const event = waiting.shift();
    if (event !== undefined) yield event;
    else if (isDone) return await result;
    else {
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
  }
}
