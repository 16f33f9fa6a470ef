// @ts-check
/** The built command line as the tools call it: `node dist/cli.js ... --json`. */
import { join } from 'node:path';
import { root } from './paths.mjs';
import { runCommand } from './runCommand.mjs';

/** @typedef {import('../shared/commandLine.ts').JsonLine} JsonLine */

/**
 * Runs one command; gives its `result` line, of the shape that the caller knows for this command.
 * @template T
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine: (line: JsonLine) => void }} options
 * @returns {Promise<T>}
 * @throws with the command's own words and hint when it fails
 */
export async function runTuningFork(args, { onLine, ...options }) {
  /** @type {JsonLine | undefined} */
  let last;
  const command = [process.execPath, join(root, 'dist/cli.js'), ...args, '--json'];
  const { code, output } = await runCommand(command, {
    ...options,
    onLine: text => {
      if (!text.startsWith('{')) return;
      /** @type {JsonLine} */
      const line = JSON.parse(text);
      last = line;
      onLine(line);
    },
  });
  if (code === 0 && last?.type === 'result') return /** @type {T} */ (last);
  if (last?.type === 'error') throw new Error([last.message, last.hint].filter(Boolean).join('\n'));
  const end = output.trim().split('\n').slice(-10).join('\n');
  throw new Error(`tuning-fork ${args[0]} ended with code ${code}\n${end}`);
}
