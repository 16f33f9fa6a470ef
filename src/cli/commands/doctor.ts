/** `tuning-fork doctor`: whether this machine can train, and what to do where it cannot. */
import { existsSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { countFreeBytes } from '../../core/jobs/forecast/freeMemory.ts';
import { describePython } from '../../core/python/describePython.ts';
import { runProgram } from '../../core/python/runProgram.ts';
import { ensureUserStateFolder } from '../../core/runs/processRegistry.ts';
import { type DeviceReport, describeDevices } from '../../core/runtime/describeDevices.ts';
import { loadOnnxRuntime } from '../../core/runtime/onnxRuntime.ts';
import { exitCodes } from '../../shared/commandLine.ts';
import { TuneError, toWireError } from '../../shared/errors.ts';
import { formatBytes } from '../../shared/formatBytes.ts';
import type { PythonReport } from '../../shared/pythonReport.ts';
import type { Command } from '../command.ts';
import { describeReport } from '../describeReport.ts';
import { findProgram, findTinyModel } from '../places.ts';
import { locatePython } from '../pythonPlace.ts';
import { runsOption, storeFolder } from '../runOptions.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string | undefined;
}

const oldestNode = 20;
const comfortableBytes = 2e9;

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check whether this machine can train, and say what to do where it cannot.',
  usage: '[--runs DIR]',
  options: [runsOption],
  maxPositionals: 0,
  run: async (args, output) => {
    const checks = [
      checkNode(),
      checkEngine(),
      checkMemory(),
      checkDisk(storeFolder(args)),
      checkStateFolder(),
      ...checkParts(),
    ];
    for (const { name, ok, detail, fix } of checks) {
      output.print(`${ok ? 'ok  ' : 'FAIL'} ${name}: ${detail}${ok || fix === undefined ? '' : `\n     ${fix}`}`);
    }
    const devices = await listDevices();
    for (const device of devices) output.print(formatDevice(device));
    const report = await describePython(locatePython(), { run: runProgram, fresh: true });
    for (const line of describeReport(report)) output.print(line);
    const failed = [...checks.filter(check => !check.ok), ...findPythonFailure(report)];
    output.line({ type: 'result', ok: failed.length === 0, checks, devices, python: report ?? null });
    if (failed.length > 0) throw toError(failed);
    return exitCodes.done;
  },
};

/** That there is no Python is no fault; one that was made or named and does not run is. */
function findPythonFailure(report: PythonReport | undefined): Check[] {
  const problem = report?.problems[0];
  return problem === undefined ? [] : [{ name: 'python', ok: false, detail: problem.message, fix: problem.fix }];
}

function toError(failed: readonly Check[]): TuneError {
  const [first] = failed;
  const names = failed.map(check => check.name).join(', ');
  return new TuneError(
    'unsupported-platform',
    `doctor: expected all to be well, got ${failed.length} amiss: ${names}`,
    {
      hint: first?.fix,
    },
  );
}

/** Where the engine itself is amiss, its check says so. */
async function listDevices(): Promise<DeviceReport[]> {
  try {
    return await describeDevices();
  } catch (error) {
    if (error instanceof TuneError) return [];
    throw error;
  }
}

/** A device that is not there is no fault: the CPU is enough. */
function formatDevice({ device, label, state, version, cards, memoryBytes, missing }: DeviceReport): string {
  const memory = memoryBytes === null ? 'memory unknown' : `${formatBytes(memoryBytes)} memory`;
  const names = cards.map(({ name, driver }) => (driver === null ? name : `${name} (${driver})`));
  const facts = version === null ? [] : [version, ...names, memory];
  const detail = [`${label} ${state}`, ...facts].join(', ');
  return `${state === 'ready' ? 'ok  ' : 'none'} device ${device}: ${detail}${missing === null ? '' : `\n     ${missing}`}`;
}

function checkNode(): Check {
  const ok = Number(process.versions.node.split('.')[0]) >= oldestNode;
  return {
    name: 'node',
    ok,
    detail: `${process.version} at ${process.execPath}`,
    fix: `Install Node ${oldestNode} or later.`,
  };
}

function checkEngine(): Check {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const { versions } = loadOnnxRuntime().env;
    return { name: 'engine', ok: true, detail: `ONNX Runtime ${versions.node ?? versions.common} on ${platform}` };
  } catch (error) {
    const { message, hint } = toWireError(error);
    return { name: 'engine', ok: false, detail: message, fix: hint };
  }
}

function checkMemory(): Check {
  const [free, total] = [countFreeBytes(), totalmem()];
  return {
    name: 'memory',
    ok: free >= comfortableBytes,
    detail: `${formatBytes(free)} free of ${formatBytes(total)}, ${availableParallelism()} processors`,
    fix: 'Close other programs, or train the tiny model.',
  };
}

function checkDisk(store: string): Check {
  let folder = store;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  return {
    name: 'disk',
    ok: free >= comfortableBytes,
    detail: `${formatBytes(free)} free at ${folder}`,
    fix: 'Free some space, or choose another folder with --runs.',
  };
}

function checkStateFolder(): Check {
  try {
    return { name: 'user folder', ok: true, detail: ensureUserStateFolder() };
  } catch (error) {
    const { message } = toWireError(error);
    return {
      name: 'user folder',
      ok: false,
      detail: message,
      fix: 'Set TUNING_FORK_STATE to a folder that you may write to.',
    };
  }
}

function checkParts(): Check[] {
  const parts = [
    ['trainer', findProgram('trainer')],
    ['computing thread', findProgram('trainerWorker')],
    ['tiny model', join(findTinyModel(), 'config.json')],
  ] as const;
  const fix = 'Install the program again.';
  return parts.map(([name, path]) => ({ name, ok: existsSync(path), detail: path, fix }));
}
