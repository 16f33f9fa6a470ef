/** The built programs as children, each test with a user folder of its own. Nothing but these children is ever ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { JsonLine } from '../../src/shared/commandLine.ts';
import { parseStartTime } from '../../src/shared/processRegistry.ts';
import type { TrainerCommand, TrainerReply } from '../../src/shared/trainerProtocol.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const dist = (name: string) => fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));

export interface Place {
  /** Model, dataset and store of the test. */
  readonly folder: string;
  readonly store: string;
  readonly env: NodeJS.ProcessEnv;
}

/** To be called inside a test. */
export function makePlace(): Place {
  const folder = temporaryFolder();
  const state = temporaryFolder();
  onTestFinished(() => endRegistered(state));
  return { folder, store: join(folder, 'store'), env: { ...process.env, TUNING_FORK_STATE: state } };
}

export interface CliResult {
  readonly code: number | null;
  /** With `--json`. */
  readonly lines: JsonLine[];
  readonly errorText: string;
}

export interface CliChild {
  readonly process: ChildProcess;
  readonly lines: JsonLine[];
  readonly ended: Promise<CliResult>;
}

/** @param wrapper a program that starts Node, with its arguments */
export function startCli(args: readonly string[], { folder, env }: Place, wrapper: readonly string[] = []): CliChild {
  const [program, ...before] = [...wrapper, process.execPath];
  const child = spawn(program!, [...before, dist('cli.js'), ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines: JsonLine[] = [];
  let rest = '';
  let errorText = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    if (args.includes('--json')) for (const part of parts) lines.push(JSON.parse(part) as JsonLine);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errorText += text;
  });
  const ended = new Promise<CliResult>(resolve => {
    child.once('close', code => resolve({ code, lines, errorText }));
  });
  return { process: child, lines, ended };
}

export const runCli = (args: readonly string[], place: Place, wrapper?: readonly string[]): Promise<CliResult> =>
  startCli(args, place, wrapper).ended;

export interface TrainerChild {
  readonly process: ChildProcess;
  readonly replies: TrainerReply[];
  /** The first answer. */
  readonly answered: Promise<TrainerReply>;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
}

export interface TrainerOptions {
  /** Modules loaded before the program. */
  readonly preload?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A program that starts Node, with its arguments. */
  readonly wrapper?: readonly string[];
}

export function startTrainer(command: TrainerCommand, place: Place, options: TrainerOptions = {}): TrainerChild {
  const args = [...(options.preload === undefined ? [] : ['--import', options.preload]), dist('trainer.js')];
  const [program = process.execPath, ...before] = [...(options.wrapper ?? []), process.execPath, ...args];
  const child = spawn(program, before, {
    cwd: place.folder,
    env: { ...place.env, ...options.env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const replies: TrainerReply[] = [];
  const answered = new Promise<TrainerReply>((resolve, reject) => {
    child.on('message', message => {
      replies.push(message as TrainerReply);
      resolve(message as TrainerReply);
    });
    child.once('exit', code => reject(new Error(`the trainer ended with ${code} and said nothing`)));
  });
  answered.catch(() => undefined);
  const ended = new Promise<{ code: number | null; signal: string | null }>(resolve => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  child.send(command);
  return { process: child, replies, answered, ended };
}

/** The run's folder once the trainer has accepted. */
export async function acceptedRun(trainer: TrainerChild): Promise<string> {
  const reply = await trainer.answered;
  if (reply.type !== 'accepted') throw new Error(`expected accepted, got ${JSON.stringify(reply)}`);
  return reply.path;
}

/** Polls until `check` gives something; fails after `limitMs`. */
export async function waitUntil<T>(what: string, check: () => T | undefined | false, limitMs = 120_000): Promise<T> {
  for (const start = performance.now(); performance.now() - start < limitMs; await sleep(20)) {
    const value = check();
    if (value !== undefined && value !== false) return value;
  }
  throw new Error(`gave up waiting for ${what}`);
}

/** Ends trainers that a test left running: those of its own registry, and only while their start time still agrees. */
function endRegistered(state: string): void {
  const folder = join(state, 'processes');
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const { pid, startTime } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      pid: number;
      startTime: string;
    };
    const stat = `/proc/${pid}/stat`;
    if (existsSync(stat) && parseStartTime('linux', readFileSync(stat, 'utf8')) === startTime)
      process.kill(pid, 'SIGKILL');
  }
}
