/** `tuning-fork serve` as a child, ready to be asked. */
import type { CliChild, Place } from './programs.ts';
import { startCli, waitUntil } from './programs.ts';

export interface ServedModels {
  readonly child: CliChild;
  readonly baseUrl: string;
  readonly models: string[];
  /** As it was shown. */
  readonly key: string;
}

/** To be called inside a test. */
export async function serveModels(args: readonly string[], place: Place): Promise<ServedModels> {
  const child = startCli(['serve', ...args, '--json'], place);
  const line = await waitUntil('the server', () => {
    if (child.process.exitCode !== null) throw new Error(`the server ended: ${JSON.stringify(child.lines.at(-1))}`);
    return child.lines.find(each => each.type === 'server');
  });
  const { baseUrl, models, key = 'no key was shown' } = line as { baseUrl: string; models: string[]; key?: string };
  return { child, baseUrl, models, key };
}
