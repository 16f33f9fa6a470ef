/** The exporting process: answers the editor over its channel and ends with it. */
import { fileURLToPath } from 'node:url';
import { exportTuned } from '../../core/jobs/export/exportTuned.ts';
import { measureTuned } from '../../core/jobs/export/measureTuned.ts';
import { nameBaseModel } from '../../core/jobs/prepare/runQuestions.ts';
import type { OpenModelOptions } from '../../core/models/openModel.ts';
import { readRecord } from '../../core/runs/runFiles.ts';
import { TuneError } from '../../shared/errors.ts';
import type { ExportCalls, ExportEvents } from '../../shared/exportProtocol.ts';
import type { HubSettings } from '../../shared/hubSettings.ts';
import { RpcPeer } from '../../shared/rpc.ts';

const tinyFolder = fileURLToPath(new URL('../media/tiny', import.meta.url));
const parent = new AbortController();

const peer = new RpcPeer<Record<string, never>, ExportCalls, ExportEvents, Record<string, never>>(
  {
    send: message => void process.send?.(message),
    onMessage: receive => void process.on('message', receive),
  },
  {
    'export/measure': ({ run, hub }, signal) => measureTuned([run], readModel(run), toOptions(hub, signal)),
    'export/run': ({ run, hub, format, dtype, out }, signal) => {
      const both = AbortSignal.any([signal, parent.signal]);
      return exportTuned(
        { paths: [run], model: readModel(run), format, dtype, out },
        {
          models: toOptions(hub, both),
          signal: both,
          onProgress: (phase, done, total) => peer.emit('export/progress', { phase, done, total }),
        },
      );
    },
  },
  {},
);

process.on('disconnect', () => {
  parent.abort();
  // What was half-written is taken away before this process ends.
  setTimeout(() => process.exit(0), 1000).unref();
});

function toOptions(hub: HubSettings, signal: AbortSignal): OpenModelOptions {
  return { tinyFolder, hub: { settings: hub, signal } };
}

function readModel(run: string): string {
  const record = readRecord(run);
  if (record !== undefined) return nameBaseModel(record.model);
  throw new TuneError('run-invalid', `${run}: expected a run that was prepared, got none`, { file: run });
}
