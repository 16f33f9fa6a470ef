/** @file A pause or stop while a run is being prepared: thrown to leave the work, never shown as an error. */
import type { TrainControl } from '../train/trainLoop.ts';

export class JobInterrupted extends Error {
  readonly reason: 'paused' | 'stopped';

  constructor(reason: 'paused' | 'stopped') {
    super(`the job was ${reason}`);
    this.reason = reason;
  }
}

export function throwIfInterrupted(control: Pick<TrainControl, 'ask'>): void {
  const asked = control.ask();
  if (asked !== 'continue') throw new JobInterrupted(asked === 'pause' ? 'paused' : 'stopped');
}

/** Runs `act` with a signal that is given when a pause or stop is asked for, and leaves with JobInterrupted then. */
export async function interruptible<T>(
  control: Pick<TrainControl, 'ask'>,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await signalled(control, act);
  } catch (error) {
    throwIfInterrupted(control);
    throw error;
  }
}

/** Runs `act`, which gives way to timers, with a signal that is given when a pause or stop is asked for. */
export async function signalled<T>(
  control: Pick<TrainControl, 'ask'>,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (control.ask() !== 'continue') controller.abort();
  }, 100);
  try {
    return await act(controller.signal);
  } finally {
    clearInterval(timer);
  }
}
