/** Work that Ctrl-C ends in order: at the next token or batch, with exit code 130. */
import { exitCodes } from '../shared/commandLine.ts';
import type { Output } from './output.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/** The exit code of `work`, or that of an interruption. A second signal ends the process at once. */
export async function interruptible(output: Output, work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  for (const name of signals) process.on(name, interrupt);
  try {
    const code = await work(controller.signal);
    return controller.signal.aborted ? exitCodes.interrupted : code;
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    output.say('Interrupted.');
    return exitCodes.interrupted;
  } finally {
    for (const name of signals) process.off(name, interrupt);
  }
}
