/** @file This machine -> the facts that decide which build of PyTorch it needs. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { listGraphicsCards } from '../runtime/graphicsCards.ts';
import { findOnPath } from './findOnPath.ts';
import type { RunProgram } from './runProgram.ts';
import type { MachineFacts } from './torchBuild.ts';

const answerMs = 10_000;

export async function readMachine(run: RunProgram, env: NodeJS.ProcessEnv = process.env): Promise<MachineFacts> {
  return {
    platform: process.platform,
    arch: process.arch,
    cards: listGraphicsCards(),
    nvidiaDriver: await readNvidiaDriver(run, env),
    hasAmdCompute: existsSync('/dev/kfd'),
  };
}

async function readNvidiaDriver(run: RunProgram, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const [file] = findOnPath('nvidia-smi', env);
  if (file === undefined) return undefined;
  const query = ['--query-gpu=driver_version', '--format=csv,noheader'];
  const { code, stdout } = await run(file, query, { cwd: tmpdir(), env, timeoutMs: answerMs });
  const [first] = stdout.trim().split('\n');
  return code === 0 && first !== undefined && /^\d+(\.\d+)*$/.test(first.trim()) ? first.trim() : undefined;
}
