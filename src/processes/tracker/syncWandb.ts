/** @file The offline run of Weights & Biases -> its server, because somebody asked for it now. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readReport, readTargets, writeReport } from '../../core/trackers/trackerFiles.ts';
import { TuneError } from '../../shared/errors.ts';
import { runNames } from '../../shared/runFolder.ts';
import { originOf, type TrackerKeys, wandbPublicServer } from '../../shared/trackers.ts';
import { startWandbProcess } from './wandbProcess.ts';

/** The run's page, where the library told it. @throws TuneError `tracker` */
export async function syncWandb({
  run,
  keys,
  python,
}: {
  run: string;
  keys: TrackerKeys;
  python: string | null;
}): Promise<string | null> {
  const target = readTargets(run).find(({ kind }) => kind === 'wandb');
  const folder = findOfflineRun(run);
  if (target?.kind !== 'wandb' || folder === undefined) {
    throw new TuneError('tracker', `${run}: expected an offline run of Weights & Biases, got none`, {
      file: run,
      hint: 'Write it first: tuning-fork track <run> --to wandb',
    });
  }
  const baseUrl = target.baseUrl ?? wandbPublicServer;
  const key = findKey(baseUrl, keys);
  if (key === undefined) {
    throw new TuneError('tracker', `Weights & Biases: expected an API key for ${originOf(baseUrl)}, got none`, {
      hint: 'Set it: "Tuning Fork: Set Weights & Biases Key..." in the editor, or WANDB_API_KEY for the command line.',
    });
  }
  const sidecar = startWandbProcess(run, python);
  try {
    const { link } = await sidecar.send({ type: 'sync', folder, key, baseUrl });
    const kept = readReport(run, 'wandb');
    const page = typeof link === 'string' ? link : null;
    if (kept !== undefined && page !== null) {
      writeReport(run, { ...kept, memory: { ...kept.memory, page, syncedStep: kept.position.step } });
    }
    return page;
  } finally {
    await sidecar.close();
  }
}

/** The key that was given for this very server, or the one of the environment. */
function findKey(baseUrl: string, keys: TrackerKeys): string | undefined {
  const origin = originOf(baseUrl);
  if (keys.wandb?.origin === origin) return keys.wandb.key;
  const { WANDB_API_KEY, WANDB_BASE_URL } = process.env;
  const named = WANDB_BASE_URL !== undefined && URL.canParse(WANDB_BASE_URL) ? WANDB_BASE_URL : wandbPublicServer;
  return WANDB_API_KEY !== undefined && originOf(named) === origin ? WANDB_API_KEY : undefined;
}

function findOfflineRun(run: string): string | undefined {
  const place = join(run, runNames.wandb);
  if (!existsSync(place)) return undefined;
  const name = readdirSync(place)
    .filter(entry => entry.startsWith('offline-run-'))
    .sort()
    .at(-1);
  return name === undefined ? undefined : join(place, name);
}
