/**
 * @file A plan -> an environment that was tried and marked as whole. What was interrupted goes on where it stopped: packages
 * that are there are left, and the environment is used only after its last step.
 */
import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TuneError } from '../../shared/errors.ts';
import type { InstallProgress } from '../../shared/pythonProtocol.ts';
import type { PythonReport } from '../../shared/pythonReport.ts';
import { claimInstall } from './installClaim.ts';
import { commitEnvironment, makeEnvironmentFolder } from './ownEnvironment.ts';
import { hideCredentials, type PlannedInstall, requireDisk, type Step } from './planInstall.ts';
import { probePython } from './probePython.ts';
import { cleanPythonEnvironment } from './pythonEnvironment.ts';
import type { RunProgram } from './runProgram.ts';

export interface InstallInput {
  readonly planned: PlannedInstall;
  readonly run: RunProgram;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: InstallProgress) => void;
}

/** @throws TuneError `disk-full`, `not-writable`, `run-busy`, `download-failed`; `process-ended` when it was stopped */
export async function installEnvironment(input: InstallInput): Promise<PythonReport> {
  const { planned, signal } = input;
  const { environment, requirements, plan } = planned;
  const { folder, interpreter } = environment;
  requireDisk(plan);
  makeEnvironmentFolder(environment);
  const release = await claimInstall(folder);
  try {
    if (!(await doesRun(input))) {
      rmSync(join(folder, 'venv'), { recursive: true, force: true });
      await runStep(input, planned.create);
    }
    for (const step of planned.fill) await runStep(input, step);
    input.onProgress({
      phase: 'trying it',
      done: requirements.packageCount,
      total: requirements.packageCount,
      detail: '',
    });
    const report = await probePython({
      interpreter,
      source: 'own',
      requirements,
      run: input.run,
      env: input.env,
      signal,
    });
    throwIfStopped(signal);
    const [problem] = report.problems;
    if (problem !== undefined || report.version === null) {
      throw new TuneError('engine', `python: expected the new environment to run PyTorch, got ${problem?.message}`, {
        file: join(folder, logName),
        hint: 'Remove it and try again: tuning-fork python remove, then tuning-fork python install.',
      });
    }
    commitEnvironment(environment, {
      fingerprint: requirements.fingerprint,
      build: requirements.build,
      installer: plan.installer,
      python: report.version,
      createdAt: new Date().toISOString(),
    });
    return report;
  } finally {
    await release();
  }
}

const logName = 'install.log';

/** Whether an interrupted installation got as far as an environment that starts. */
async function doesRun({ planned, run, env, signal }: InstallInput): Promise<boolean> {
  const { interpreter, folder } = planned.environment;
  if (!existsSync(interpreter)) return false;
  const module = planned.plan.installer === 'pip' ? 'pip' : 'sys';
  const options = { cwd: folder, env: cleanPythonEnvironment(env), timeoutMs: 60_000, signal };
  return (await run(interpreter, ['-I', '-c', `import ${module}`], options)).code === 0;
}

async function runStep({ planned, run, env, signal, onProgress }: InstallInput, step: Step): Promise<void> {
  throwIfStopped(signal);
  const { folder } = planned.environment;
  const total = planned.requirements.packageCount;
  const log = (line: string) => appendFileSync(join(folder, logName), `${hideCredentials(line)}\n`, { mode: 0o600 });
  const seen = new Set<string>();
  const report = (detail: string) =>
    onProgress({
      phase: step.name,
      done: Math.min(seen.size, total),
      total,
      detail: hideCredentials(detail).slice(0, 200),
    });
  log(`$ ${step.file} ${step.arguments.join(' ')}`);
  report('');
  const { code, stderr } = await run(step.file, step.arguments, {
    cwd: folder,
    env: { ...cleanPythonEnvironment(env), ...step.env },
    signal,
    onLine: line => {
      log(line);
      const name = /^\s*(?:Collecting|Downloading|Downloaded|Requirement already satisfied:|\+)\s+([\w.-]+)/.exec(
        line,
      )?.[1];
      if (name !== undefined) seen.add(name.toLowerCase());
      if (name !== undefined || /^(Installing|Prepared|Resolved|Bytecode)/.test(line)) report(line.trim());
    },
  });
  throwIfStopped(signal);
  if (code === 0) return;
  const said = stderr
    .trim()
    .split('\n')
    .filter(line => /error|no matching|×|╰|failed/i.test(line))
    .slice(-3)
    .join(' ');
  throw new TuneError(
    'download-failed',
    `${step.name}: expected exit code 0, got ${code}: ${hideCredentials(said)}`.trim(),
    {
      file: join(folder, logName),
      hint: 'Try again: what was fetched is kept. Behind a proxy or without PyPI, name mirrors: --index and --torch-index, or the settings tuningFork.pythonIndex and tuningFork.torchIndex.',
    },
  );
}

function throwIfStopped(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new TuneError('process-ended', 'python: expected the installation to end, got stopped', {
    hint: 'Nothing is used of it; tuning-fork python install goes on where it stopped.',
  });
}
