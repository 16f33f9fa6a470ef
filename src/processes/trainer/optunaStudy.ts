/** @file A search whose sampler or pruner is Optuna's -> a Python process that thinks of trials, over the journal that is read here. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { toOptunaJson } from '../../core/search/distributions.ts';
import type { JournalStudy } from '../../core/search/journalStudy.ts';
import { runAttribute, type Study } from '../../core/search/study.ts';
import type { Trial } from '../../core/search/trial.ts';
import { TuneError } from '../../shared/errors.ts';
import type { SearchRecord } from '../../shared/searchRecord.ts';
import { findOptunaPython } from './pytorch/findPython.ts';

/** For a sampler that is still thinking. */
const closingMs = 5_000;

type Reply = Readonly<Record<string, unknown>>;
type Sidecar = ChildProcessByStdio<Writable, Readable, Readable>;

const classOf = (name: string): string => name.replace(/^optuna:/, '');

/** @throws TuneError `unsupported-platform` without Python or Optuna */
export async function openOptunaStudy(record: SearchRecord, journal: JournalStudy): Promise<Study> {
  const study = new OptunaStudy(record, journal);
  try {
    await study.open();
  } catch (error) {
    // A process that is left behind would keep this one alive.
    await study.close();
    throw error;
  }
  return study;
}

class OptunaStudy implements Study {
  private readonly child: Sidecar;
  private readonly waiting: ((reply: Reply) => void)[] = [];
  private readonly interpreter = findOptunaPython();
  private errorText = '';
  private hasEnded = false;

  constructor(
    private readonly record: SearchRecord,
    private readonly journal: JournalStudy,
  ) {
    const script = fileURLToPath(new URL('./optuna/study.py', import.meta.url));
    const { PYTHONPATH: _path, PYTHONHOME: _home, ...env } = process.env;
    this.child = spawn(this.interpreter, ['-u', script], { env, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errorText = (this.errorText + text).slice(-2000);
    });
    createInterface({ input: this.child.stdout }).on('line', line => this.waiting.shift()?.(JSON.parse(line) as Reply));
    const end = (text: string) => {
      this.hasEnded = true;
      for (const settle of this.waiting.splice(0)) settle({ error: `${text} ${this.errorText}`.trim() });
    };
    this.child.once('error', error => end(error.message));
    this.child.once('close', code => end(`ended with ${code}.`));
    // Writing to a process that has ended is told by its end.
    this.child.stdin.on('error', () => undefined);
  }

  async open(): Promise<void> {
    const { sampler, pruner, seed } = this.record.settings;
    await this.call({
      journal: this.journal.path,
      study: this.journal.name,
      direction: this.journal.direction,
      sampler: classOf(sampler),
      pruner: classOf(pruner),
      seed,
    });
  }

  trials(): readonly Trial[] {
    return this.journal.trials();
  }

  async ask(): Promise<Trial> {
    const space = this.record.settings.space.map(({ name, distribution }) => [name, toOptunaJson(distribution)]);
    const { trial } = await this.call({ ask: Object.fromEntries(space) });
    const asked = this.journal.trials().find(({ number }) => number === trial);
    if (asked === undefined) throw new TuneError('internal', `internal: optuna: trial ${trial} is not in the journal`);
    return asked;
  }

  async report(trial: Trial, step: number, value: number): Promise<boolean> {
    const { prune } = await this.call({ report: [trial.number, step, value] });
    return prune === true;
  }

  name(trial: Trial, run: string): Promise<void> {
    return this.journal.setUserAttribute(trial, runAttribute, run);
  }

  async end(trial: Trial, state: 'complete' | 'pruned' | 'failed', value?: number): Promise<void> {
    await this.call({ tell: [trial.number, state, value ?? null] });
    this.journal.trials();
  }

  async close(): Promise<void> {
    if (this.hasEnded) return;
    const ended = new Promise<void>(resolve => this.child.once('close', () => resolve()));
    this.child.stdin.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), closingMs);
    await ended;
    clearTimeout(timer);
  }

  private async call(request: unknown): Promise<Reply> {
    const reply = await new Promise<Reply>(resolve => {
      if (this.hasEnded) return resolve({ error: `ended. ${this.errorText}` });
      this.waiting.push(resolve);
      this.child.stdin.write(`${JSON.stringify(request)}\n`);
    });
    if (reply.error === undefined) return reply;
    throw new TuneError(
      'unsupported-platform',
      `Optuna: expected an answer of ${this.interpreter}, got ${String(reply.error)}`,
      {
        hint: `Make an environment that has it (tuning-fork python install; in the editor: Set Up PyTorch...), install it into that Python ("${this.interpreter}" -m pip install optuna), or search with the built-in sampler: --sampler tpe --pruner halving`,
      },
    );
  }
}
