/** @file Sends what is typed once the typing pauses, or at once when it has to be known. */

export interface DelayedSend {
  schedule(): void;
  /** Sends now what waits; does nothing when nothing does. */
  flush(): void;
}

export function createDelayedSend(pauseMs: number, send: () => void): DelayedSend {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    send();
  };
  return {
    schedule() {
      clearTimeout(timer);
      timer = setTimeout(flush, pauseMs);
    },
    flush,
  };
}
