/** @file Datasets of runs that grow -> nothing, a notification with numbers, or a run that goes on: as each dataset is set. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { DriftReport } from '../../shared/drift.ts';
import { isActive } from '../../shared/runState.ts';
import type { RunReader } from '../runs/runReader.ts';
import type { Services } from '../services.ts';
import { startRun } from '../startRun.ts';
import { listTuned } from '../views/adaptersView.ts';
import { describeDrift } from './describeDrift.ts';

const driftModes = ['off', 'notify', 'automatic'] as const;
type DriftMode = (typeof driftModes)[number];

/** New rows of this share of the old ones are enough for a run of its own, whether they differ or not. */
const enoughShare = 0.1;

/** Of the dataset; else what the setting says of all. */
function readMode({ context }: Services, dataset: string): DriftMode {
  const own = context.workspaceState.get<string>(memoryKey(dataset));
  const general = vscode.workspace.getConfiguration('tuningFork').get<string>('onDatasetGrowth', 'off');
  return driftModes.find(mode => mode === (own ?? general)) ?? 'off';
}

const memoryKey = (dataset: string): string => `drift:${dataset}`;

export async function chooseMode({ context }: Services, dataset: string): Promise<void> {
  const items = [
    { label: 'off', detail: vscode.l10n.t('Nothing is done.') },
    { label: 'notify', detail: vscode.l10n.t('New rows are compared with the last run; one notification says how.') },
    {
      label: 'automatic',
      detail: vscode.l10n.t(
        'A run goes on from the last adapter, when the workspace is trusted and nothing else runs.',
      ),
    },
  ];
  const title = vscode.l10n.t('When {0} grows', basename(dataset));
  const chosen = await vscode.window.showQuickPick(items, { title });
  if (chosen !== undefined) await context.workspaceState.update(memoryKey(dataset), chosen.label);
}

/** The last run that was trained on the dataset and left something to go on from. */
export function findLastTuned({ stores }: Services, dataset: string): RunReader | undefined {
  return listTuned(stores).find(run => run.record?.datasets.some(({ path }) => path === dataset) === true);
}

export async function continueRun(services: Services, run: RunReader): Promise<void> {
  const request = await services.augment.call('drift/request', { run: run.path, name: run.name });
  const accepted = await startRun(services, request);
  await services.stores.refresh();
  const started = services.stores.findAccepted(accepted);
  if (started !== undefined) services.runPanels.open(started);
}

export function watchDrift(services: Services): vscode.Disposable {
  /** New rows that were told of, by dataset: each growth once. */
  const told = new Map<string, number>();
  const busy = new Set<string>();
  const look = async (dataset: string): Promise<void> => {
    const mode = readMode(services, dataset);
    const run = findLastTuned(services, dataset);
    const reference = run?.record?.datasets.find(({ path }) => path === dataset);
    // Reading rows with a model is left until the workspace is trusted.
    if (mode === 'off' || run === undefined || reference === undefined || !vscode.workspace.isTrusted) return;
    if (services.freshness.hasChanged(reference) !== true || isOccupied(services)) return;
    const report = await services.augment.call('drift/measure', { dataset, run: run.path });
    if (report === null || told.get(dataset) === report.rows.new) return;
    told.set(dataset, report.rows.new);
    if (mode === 'automatic') {
      const isEnough = report.hasDrifted || report.rows.new >= enoughShare * report.rows.old;
      if (isEnough && !isOccupied(services)) await continueRun(services, run);
      return;
    }
    await tellDrift(services, run, dataset, report);
  };
  return services.freshness.onDidChange(dataset => {
    if (busy.has(dataset)) return;
    busy.add(dataset);
    void look(dataset)
      .catch(error => services.log.warn(String(error)))
      .finally(() => busy.delete(dataset));
  });
}

function isOccupied({ stores }: Services): boolean {
  return stores.listRuns().some(({ state }) => isActive(state) || state === 'queued');
}

export async function tellDrift(
  services: Services,
  run: RunReader,
  dataset: string,
  report: DriftReport,
): Promise<void> {
  const [goOn, mode] = [vscode.l10n.t('Continue Training'), vscode.l10n.t('When It Grows...')];
  const text = `${basename(dataset)}: ${describeDrift(report)}`;
  const chosen = await vscode.window.showInformationMessage(text, goOn, mode);
  if (chosen === goOn) await continueRun(services, run);
  if (chosen === mode) await chooseMode(services, dataset);
}
