/** @file Reads the run folder of a workspace: what the panels must agree with. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunMetrics {
  /** Loss by step. */
  losses: Map<number, number>;
  /** Held-out loss by step, the base model's at step 0. */
  heldOut: Map<number, number>;
}

/** The folders of the workspace's runs, oldest first. */
export function listRunFolders(workspace: string): string[] {
  const runs = join(workspace, '.tuning-fork/runs');
  if (!existsSync(runs)) return [];
  const ids = readdirSync(runs).filter(id => existsSync(join(runs, id, 'run.json')));
  return ids.sort().map(id => join(runs, id));
}

/** What metrics.jsonl holds now; a last line that is still being written is left out. */
export function readMetrics(run: string): RunMetrics {
  const metrics: RunMetrics = { losses: new Map(), heldOut: new Map() };
  const file = join(run, 'metrics.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  for (const line of lines) {
    const row = JSON.parse(line) as { kind: string; step: number; lossNats: number; evalLossNats: number };
    if (row.kind === 'step') metrics.losses.set(row.step, row.lossNats);
    else metrics.heldOut.set(row.step, row.evalLossNats);
  }
  return metrics;
}

export function readJson<T>(run: string, file: string): T {
  return JSON.parse(readFileSync(join(run, file), 'utf8')) as T;
}
