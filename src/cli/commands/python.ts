/** `tuning-fork python`: the environment of the PyTorch engine, looked at, made and removed. */
import { createInterface } from 'node:readline/promises';
import { describePython, type PythonPlace } from '../../core/python/describePython.ts';
import { installEnvironment } from '../../core/python/installEnvironment.ts';
import { removeOwnEnvironments, statusOf } from '../../core/python/manageEnvironments.ts';
import { planInstall } from '../../core/python/planInstall.ts';
import { readMachine } from '../../core/python/readMachine.ts';
import { runProgram } from '../../core/python/runProgram.ts';
import { type TorchBuild, torchBuilds } from '../../core/python/torchBuild.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError } from '../../shared/errors.ts';
import { formatBytes } from '../../shared/formatBytes.ts';
import type { InstallPlan } from '../../shared/pythonProtocol.ts';
import { type Command, type CommandArguments, usageError } from '../command.ts';
import { describeReport } from '../describeReport.ts';
import { interruptible } from '../interruptible.ts';
import type { Output } from '../output.ts';
import { locatePython } from '../pythonPlace.ts';

export const python: Command = {
  name: 'python',
  summary: "Look at, install or remove the PyTorch engine's Python environment.",
  usage: 'status | install [--build B] [--index URL] [--torch-index URL] [--yes] | remove [--yes]',
  options: [
    { name: 'build', value: torchBuilds.join('|'), help: 'Build of PyTorch, default what the graphics cards ask for.' },
    { name: 'index', value: 'URL', help: 'Mirror of the Python package index.' },
    { name: 'torch-index', value: 'URL', help: "Mirror of PyTorch's own index for the build." },
    { name: 'yes', help: 'Do it without asking.' },
  ],
  maxPositionals: 1,
  details:
    'The environment lies in the cache of the user (TUNING_FORK_CACHE), with uv where it is on the PATH, else with venv and pip. An interrupted ' +
    'installation goes on where it stopped. A Python of your own is named by TUNING_FORK_PYTHON (in the editor: tuningFork.pythonPath); it is checked and never changed.',
  run: (args, output) => {
    const place = locatePython();
    const act = args.positionals[0] ?? 'status';
    if (act === 'status') return showStatus(place, output);
    if (act === 'install') return install(place, args, output);
    if (act === 'remove') return remove(place, args, output);
    throw usageError(python, `"${act}": expected status, install or remove`);
  },
};

async function showStatus(place: PythonPlace, output: Output): Promise<number> {
  const report = await describePython(place, { run: runProgram, fresh: true });
  const status = statusOf(place, report);
  for (const line of describeReport(report)) output.print(line);
  for (const { folder, bytes, isReady, isCurrent } of status.environments) {
    const state = isReady ? (isCurrent ? 'whole' : 'of another version of Tuning Fork') : 'half made, not used';
    output.print(`${formatBytes(bytes).padStart(10)}  ${folder} (${state})`);
  }
  output.line({ type: 'result', ...status });
  return exitCodes.done;
}

function install(place: PythonPlace, args: CommandArguments, output: Output): Promise<number> {
  const build = args.one('build');
  if (build !== undefined && !(torchBuilds as readonly string[]).includes(build)) {
    throw usageError(python, `--build: expected one of ${torchBuilds.join(', ')}, got "${build}"`);
  }
  return interruptible(output, async signal => {
    const { env } = place;
    const machine = await readMachine(runProgram, env);
    const choices = {
      build: build as TorchBuild | undefined,
      torchIndex: args.one('torch-index'),
      packageIndex: args.one('index'),
    };
    const planned = await planInstall({ ...place, choices, machine, run: runProgram });
    const { plan } = planned;
    if (plan.isReady) {
      const report = await describePython(place, { run: runProgram, signal, fresh: true });
      for (const line of describeReport(report)) output.print(line);
      if (report !== undefined && report.problems.length === 0) {
        output.line({ type: 'result', report });
        return exitCodes.done;
      }
    }
    for (const line of describePlan(plan)) output.say(line);
    if (!(await isAgreed(args, 'Install it?'))) return exitCodes.interrupted;
    const report = await installEnvironment({
      planned,
      run: runProgram,
      env,
      signal,
      onProgress: ({ phase, done, total, detail }) => {
        output.line({ type: 'progress', phase, done, total });
        output.progress(`${phase}: ${detail === '' ? `${done} of ${total}` : detail}`);
      },
    });
    for (const line of describeReport(report)) output.print(line);
    output.line({ type: 'result', report });
    return exitCodes.done;
  });
}

function describePlan(plan: InstallPlan): string[] {
  const free = `${formatBytes(plan.freeBytes)} free`;
  return [
    `PyTorch for ${plan.buildLabel}: ${plan.reason}`,
    `  place     ${plan.folder}`,
    `  with      ${plan.installer}, ${plan.python}`,
    `  packages  ${plan.packages.join(', ')} and what they need`,
    `  from      ${plan.torchIndex ?? 'the package index'} (torch), ${plan.packageIndex ?? 'PyPI, or what pip or uv are set to'}`,
    `  size      about ${formatBytes(plan.downloadBytes)} to fetch, ${formatBytes(plan.installedBytes)} on disk (${free})`,
    ...(plan.presentBytes > 0
      ? [`  goes on with ${formatBytes(plan.presentBytes)} of an interrupted installation`]
      : []),
  ];
}

async function remove(place: PythonPlace, args: CommandArguments, output: Output): Promise<number> {
  const { environments } = statusOf(place, undefined);
  if (environments.length === 0) {
    output.print('There is none.');
    output.line({ type: 'result', removed: [], bytes: 0 });
    return exitCodes.done;
  }
  const bytes = environments.reduce((sum, environment) => sum + environment.bytes, 0);
  for (const { folder } of environments) output.say(folder);
  if (!(await isAgreed(args, `Delete ${environments.length} (${formatBytes(bytes)})?`))) return exitCodes.interrupted;
  const removed = await removeOwnEnvironments(place);
  output.print(`Deleted ${removed.length}, ${formatBytes(bytes)}.`);
  output.line({ type: 'result', removed, bytes });
  return exitCodes.done;
}

/** Nothing is done silently. @throws TuneError `usage` where nobody can be asked */
async function isAgreed(args: CommandArguments, question: string): Promise<boolean> {
  if (args.has('yes')) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new TuneError('usage', `${question} expected an answer, got no terminal to ask on`, {
      hint: 'Say it beforehand: --yes.',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
