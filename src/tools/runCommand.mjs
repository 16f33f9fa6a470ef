// @ts-check
/** Runs programs for the tools: argument arrays only, and a program that overstays ends with all its children. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/**
 * @typedef {object} CommandOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} [limitMs] after this the whole process group is ended
 * @property {'show' | 'keep'} [output] show it live (default), or keep it and return it
 * @property {(line: string) => void} [onLine] called for each line of standard output; implies 'keep'
 */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Passes Ctrl-C and TERM on to what runs, then ends this program: for programs, not for tests that import this file. */
export function forwardSignals() {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.on(signal, () => {
      endRunningCommands(signal);
      if (running.size === 0) process.exit(130);
      setTimeout(() => process.exit(130), 3000).unref();
    });
  }
}

/** @param {NodeJS.Signals} signal */
export function endRunningCommands(signal) {
  for (const child of running) endProcessGroup(child, signal);
}

/**
 * The exit code (1 when a signal ended it), whether the limit was reached, and the kept output.
 * @param {readonly string[]} command
 * @param {CommandOptions} [options]
 * @returns {Promise<{ code: number, timedOut: boolean, stdout: string, output: string }>}
 */
export function runCommand(command, options = {}) {
  const [file, ...args] = command;
  if (file === undefined) throw new Error('internal: empty command');
  const keep = options.output === 'keep' || options.onLine !== undefined;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: keep ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
      detached: process.platform !== 'win32',
    });
    running.add(child);
    let stdout = '';
    let output = '';
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', text => {
      stdout += text;
      output += text;
      if (!options.onLine) return;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) options.onLine(line);
    });
    child.stderr?.setEncoding('utf8').on('data', text => {
      output += text;
    });
    let timedOut = false;
    const timer =
      options.limitMs &&
      setTimeout(() => {
        timedOut = true;
        endProcessGroup(child, 'SIGTERM');
        setTimeout(() => endProcessGroup(child, 'SIGKILL'), 5000).unref();
      }, options.limitMs);
    child.once('error', error => {
      running.delete(child);
      if (timer) clearTimeout(timer);
      reject(error);
    });
    child.once('close', code => {
      running.delete(child);
      if (timer) clearTimeout(timer);
      if (rest) options.onLine?.(rest);
      resolve({ code: code ?? 1, timedOut, stdout, output });
    });
  });
}

/**
 * Like `runCommand` with kept output.
 * @param {readonly string[]} command
 * @param {CommandOptions} [options]
 * @throws when the exit code is not 0, with the end of what the program said
 */
export async function requireCommand(command, options = {}) {
  const result = await runCommand(command, { output: 'keep', ...options });
  if (result.code !== 0) {
    const reason = result.timedOut ? 'took too long' : `ended with code ${result.code}`;
    throw new Error(`${command.join(' ')} ${reason}\n${result.output.trim().split('\n').slice(-15).join('\n')}`);
  }
  return result.stdout;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function endProcessGroup(child, signal) {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/** npm as a command that needs no shell: Node and npm's own script. */
export function npmCommand() {
  const beside = dirname(process.execPath);
  const found = [
    process.env.npm_execpath,
    join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    join(beside, 'node_modules/npm/bin/npm-cli.js'),
    join(beside, '../share/nodejs/npm/bin/npm-cli.js'),
  ].find(file => file?.endsWith('npm-cli.js') && existsSync(file));
  return found ? [process.execPath, found] : ['npm'];
}

/**
 * The first of these programs that stands on PATH.
 * @param {readonly string[]} names
 */
export function findOnPath(names) {
  const endings = process.platform === 'win32' ? ['.exe'] : [''];
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      for (const ending of endings) {
        const file = join(folder, name + ending);
        if (folder && existsSync(file)) return file;
      }
    }
  }
  return undefined;
}
