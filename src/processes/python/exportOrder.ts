/** @file The editor's order for other machines -> the folder that trains there. */
import { homedir } from 'node:os';
import { exportJob } from '../../core/jobs/elsewhere/exportJob.ts';
import type { JobOrder } from '../../shared/jobProtocol.ts';
import { weightCacheBudget, weightCacheFolder } from '../../shared/userCache.ts';

export interface ShippedFolders {
  readonly engineFolder: string;
  readonly tinyFolder: string;
}

export async function exportOrder(
  { request, hub, out, nodes, gpus, gpuName }: JobOrder,
  { engineFolder, tinyFolder }: ShippedFolders,
  signal: AbortSignal,
): Promise<string[]> {
  const { platform, env } = process;
  const place = { platform, home: homedir(), env };
  const job = await exportJob({
    request,
    out,
    shape: {
      nodes,
      gpus,
      gpuName,
      timeLimit: '24:00:00',
      partition: undefined,
      account: undefined,
      build: gpus === 0 ? 'cpu' : 'cuda13',
    },
    copiesModel: true,
    engineFolder,
    weightCache: { folder: weightCacheFolder(place), budgetBytes: weightCacheBudget(place) },
    check: {
      tinyFolder,
      hub,
      control: { ask: () => (signal.aborted ? 'stop' : 'continue') },
      onPhase: () => undefined,
    },
  });
  return [...job.files];
}
