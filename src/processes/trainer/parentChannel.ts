/** @file The IPC channel to whoever started this trainer; sending to a parent that is gone does nothing. */
import type { TrainerReply } from '../../shared/trainerProtocol.ts';

/** Resolves when the message is on its way, or cannot be sent any more. */
export function sendToParent(reply: TrainerReply): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(reply, undefined, undefined, () => resolve());
  });
}

/** The first message, unchecked. Undefined when the parent says nothing for `timeoutMs` or goes away. */
export function receiveCommand(timeoutMs: number): Promise<unknown> {
  // A parent that left while this process was starting has said so before anyone listened.
  if (!process.connected) return Promise.resolve(undefined);
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    const settle = (value: unknown) => {
      clearTimeout(timer);
      resolve(value);
    };
    process.once('message', settle);
    process.once('disconnect', () => settle(undefined));
  });
}

export function closeChannel(): void {
  if (process.connected) process.disconnect();
}
