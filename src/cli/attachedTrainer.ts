/** A trainer as a child: prints what it says, turns Ctrl-C into a stop with a checkpoint, ends with its exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { requestControl } from '../core/runs/controlFolder.ts';
import { exitCodes } from '../shared/commandLine.ts';
import { fromWireError, TuneError } from '../shared/errors.ts';
import type { TrainerCommand, TrainerReply } from '../shared/trainerProtocol.ts';
import type { Output } from './output.ts';
import { findProgram } from './places.ts';
import { RunPrinter } from './runPrinter.ts';

/** @throws TuneError as the trainer refused or failed */
export async function runAttachedTrainer(command: TrainerCommand, output: Output): Promise<number> {
  // Before the trainer exists: a Ctrl-C between its start and this would end us without it.
  const signals = stopOnSignals(
    () => child,
    () => run,
    output,
  );
  const child = spawnTrainer();
  const printer = new RunPrinter(output);
  let run: string | undefined;
  let error: TuneError | undefined;
  let hasResult = false;
  child.on('message', message => {
    const reply = message as TrainerReply;
    switch (reply.type) {
      case 'accepted':
        run = reply.path;
        output.line({ type: 'run', id: reply.id, path: reply.path });
        output.say(`Run ${reply.id}${reply.queued ? ' (waits for another run to end)' : ''}\n${reply.path}`);
        break;
      case 'note':
        output.say(reply.text);
        break;
      case 'refused':
        error = fromWireError(reply.error);
        break;
      case 'event':
        if (reply.line.type === 'error') {
          const { type: _type, ...wire } = reply.line;
          error = fromWireError(wire);
        } else {
          if (reply.line.type === 'result') hasResult = true;
          output.line(reply.line);
          printer.show(reply.line);
        }
        break;
    }
  });
  child.send(command);
  const { code, signal, errorText } = await waitForEnd(child);
  signals.letGo();
  if (error !== undefined) throw error;
  if (code === exitCodes.interrupted && run !== undefined)
    output.say(`Interrupted. Go on with: tuning-fork resume ${run}`);
  if (code === exitCodes.interrupted || (code === exitCodes.done && hasResult)) return code;
  if (signals.haveCome()) return exitCodes.interrupted;
  throw new TuneError('process-ended', `trainer: expected it to report its end, got ${signal ?? `exit code ${code}`}`, {
    hint: `${errorText.slice(-2000)}\nResume the run from its last checkpoint: tuning-fork resume ${run ?? '<run>'}`.trim(),
  });
}

function spawnTrainer(): ChildProcess {
  const program = findProgram('trainer');
  if (!existsSync(program)) throw new TuneError('internal', `internal: ${program} is missing; build the program again`);
  const { NODE_OPTIONS: _options, NODE_PATH: _path, ...env } = process.env;
  return spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env, windowsHide: true });
}

/** Once: stop with a checkpoint. Again: end the trainer at once. */
function stopOnSignals(
  findChild: () => ChildProcess,
  findRun: () => string | undefined,
  output: Output,
): { letGo(): void; haveCome(): boolean } {
  let count = 0;
  const onSignal = () => {
    count++;
    const child = findChild();
    const run = findRun();
    if (count > 1) {
      child.kill('SIGKILL');
    } else if (run === undefined) {
      child.disconnect();
    } else {
      output.say('Stopping after this step, with a checkpoint. Press Ctrl-C again to end at once.');
      askToStop(child, run);
    }
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    letGo: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
    haveCome: () => count > 0,
  };
}

/** Where nothing can be written any more, a trainer without its parent pauses by itself. */
function askToStop(child: ChildProcess, run: string): void {
  try {
    requestControl(run, 'stop');
  } catch (error) {
    if (!(error instanceof TuneError)) throw error;
    child.disconnect();
  }
}

function waitForEnd(child: ChildProcess): Promise<{ code: number | null; signal: string | null; errorText: string }> {
  let errorText = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(-8000);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, errorText }));
    // Node tells no `close` of a child whose channel this side has shut.
    child.once('exit', (code, signal) => {
      if (!child.connected) setImmediate(() => resolve({ code, signal, errorText }));
    });
  });
}
