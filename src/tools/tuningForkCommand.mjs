// @ts-check
/** The built command line as the tools call it: `node dist/cli.js ... --json`. */
import { join } from 'node:path';
import { root } from './paths.mjs';
import { runCommand } from './runCommand.mjs';

/**
 * Runs one command; gives its `result` line.
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine: (line: any) => void }} options
 * @returns {Promise<any>}
 * @throws with the command's own words and hint when it fails
 */
export async function runTuningFork(args, { onLine, ...options }) {
  /** @type {any} */
  let last;
  const command = [process.execPath, join(root, 'dist/cli.js'), ...args, '--json'];
  const { code, output } = await runCommand(command, {
    ...options,
    onLine: text => {
      if (!text.startsWith('{')) return;
      last = JSON.parse(text);
      onLine(last);
    },
  });
  if (code === 0 && last?.type === 'result') return last;
  if (last?.type === 'error') throw new Error([last.message, last.hint].filter(Boolean).join('\n'));
  const end = output.trim().split('\n').slice(-10).join('\n');
  throw new Error(`tuning-fork ${args[0]} ended with code ${code}\n${end}`);
}
