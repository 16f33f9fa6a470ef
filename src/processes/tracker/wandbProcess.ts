/** @file The Python process with the library of Weights & Biases: messages in, one answer each, as JSON lines. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readNamedPython } from '../../core/trackers/trackerFiles.ts';
import type { WandbLink, WandbMessage } from '../../core/trackers/wandbTracker.ts';
import { TuneError } from '../../shared/errors.ts';
import { runNames } from '../../shared/runFolder.ts';

/** Uploads speak through the same process; their key goes through this pipe alone. */
export type SyncMessage = { type: 'sync'; folder: string; key: string; baseUrl: string };

export interface WandbProcess extends WandbLink {
  send(message: WandbMessage | SyncMessage): Promise<Record<string, unknown>>;
}

const closeTimeoutMs = 60_000;
const maxErrorCharacters = 2000;
/** Of our own user's shell, or of an earlier session of the library: nothing of it may change what is written. */
const removedNames = /^(WANDB_|PYTHON(PATH|HOME|STARTUP|INSPECT)|NODE_|LD_PRELOAD)/;

/** Files of the library go below the run: offline runs, and its own logs and data. */
export function startWandbProcess(run: string, chosenPython: string | null): WandbProcess {
  const python = chosenPython ?? readNamedPython() ?? (process.platform === 'win32' ? 'python' : 'python3');
  const place = join(run, runNames.wandb);
  mkdirSync(place, { recursive: true });
  const env: NodeJS.ProcessEnv = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !removedNames.test(name)),
  );
  for (const name of ['DATA', 'CACHE', 'CONFIG'] as const) env[`WANDB_${name}_DIR`] = join(place, name.toLowerCase());
  const script = fileURLToPath(new URL('./wandbSidecar.py', import.meta.url));
  const child = spawn(python, ['-u', script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...env, PYTHONSAFEPATH: '1', PYTHONUTF8: '1', WANDB_ERROR_REPORTING: 'false' },
    windowsHide: true,
  });
  let errorText = '';
  let ended: TuneError | undefined;
  let waiting: { resolve: (answer: Record<string, unknown>) => void; reject: (error: TuneError) => void }[] = [];
  const fail = (error: TuneError) => {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  child.stdin.on('error', () => undefined); // its end says why
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(-maxErrorCharacters);
  });
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const answer = parseAnswer(line);
      if (answer === undefined) continue;
      const next = waiting.shift();
      if (typeof answer.error === 'string') next?.reject(toTrackerError(python, answer.error));
      else next?.resolve(answer);
    }
  });
  child.once('error', error => fail(toTrackerError(python, error.message)));
  const closed = new Promise<void>(resolve => {
    child.once('close', (code, signal) => {
      fail(toTrackerError(python, `the end of the process (${signal ?? code}) ${errorText.trim().split('\n').at(-1)}`));
      resolve();
    });
    child.once('error', () => resolve());
  });
  return {
    send: message =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        waiting = [...waiting, { resolve, reject }];
        child.stdin.write(`${JSON.stringify(message, writeNumber)}\n`);
      }),
    close: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), closeTimeoutMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Python's reader takes these texts as numbers. */
function writeNumber(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value;
}

/** Whatever else libraries print is no answer. */
function parseAnswer(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{"answer":')) return undefined;
  try {
    return (JSON.parse(line) as { answer: Record<string, unknown> }).answer;
  } catch {
    return undefined;
  }
}

function toTrackerError(python: string, got: string): TuneError {
  return new TuneError('tracker', `${python}: expected the library of Weights & Biases to answer, got ${got}`, {
    hint: `Install it there (${python} -m pip install wandb), or name another Python: the setting tuningFork.pythonPath, or --python.`,
  });
}
