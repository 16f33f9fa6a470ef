/**
 * @file A run -> a run of an MLflow server, by REST. The same MLflow run over all attempts: it is found again by a tag. Time
 * stamps are a function of the rows, so that a row sent twice is the same row; after a request whose answer never
 * came, the server is asked what has arrived. MLflow cannot take back values: those of a superseded attempt stay in a
 * metric's history, beside the ones that stand.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runNames } from '../../shared/runFolder.ts';
import type { ShownState } from '../../shared/runState.ts';
import { MlflowClient, MlflowError, type MlflowMetric, writeMetricValue } from './mlflowClient.ts';
import { listConfig, listScalars, timeRow } from './reportedNames.ts';
import type { RunRest, RunUpdate, TrackedRun, Tracker, TrackerMemory } from './tracker.ts';

const metricsPerRequest = 1000;
const paramsPerRequest = 100;
const historyPage = 20_000;
/** Servers of MLflow 2 take no more. */
const maxParamCharacters = 500;
const runTag = 'tuning_fork.run_id';

export interface MlflowTarget {
  readonly uri: string;
  readonly experiment: string;
}

export class MlflowTracker implements Tracker {
  readonly kind = 'mlflow';
  readonly startsOver = false;
  /** Eight or so metrics a row. */
  readonly batchRows = 500;
  remarks: string[] = [];
  private readonly client: MlflowClient;
  private readonly target: MlflowTarget;
  private run: TrackedRun | undefined;
  private runId = '';
  private experimentId = '';
  private artifactUri = '';
  /** What is told next may have arrived already, although nobody said so. */
  private isUncertain = true;

  constructor(target: MlflowTarget, authorization: string | undefined) {
    this.target = target;
    this.client = new MlflowClient(target.uri, authorization);
  }

  get memory(): TrackerMemory {
    return this.runId === '' ? {} : { runId: this.runId };
  }

  get link(): string | null {
    if (this.runId === '') return null;
    return `${this.target.uri.replace(/\/+$/, '')}/#/experiments/${this.experimentId}/runs/${this.runId}`;
  }

  async open(run: TrackedRun, memory: TrackerMemory): Promise<void> {
    this.run = run;
    this.experimentId = await this.findExperiment();
    const known = typeof memory.runId === 'string' ? memory.runId : await this.findRun();
    if (known === undefined) await this.createRun();
    else await this.continueRun(known);
    await this.sendConfig();
  }

  async write(updates: readonly RunUpdate[]): Promise<void> {
    const metrics: MlflowMetric[] = [];
    for (const update of updates) {
      if (update.type === 'superseded') await this.tellSuperseded(update.fromStep);
      if (update.type !== 'row') continue;
      const { row } = update;
      const timestamp = timeRow(this.run!.record, row);
      for (const [key, value] of listScalars(row)) metrics.push({ key, value, timestamp, step: row.step });
    }
    const isUncertain = this.isUncertain;
    this.isUncertain = true;
    for (let i = 0; i < metrics.length; i += metricsPerRequest) {
      const some = metrics.slice(i, i + metricsPerRequest);
      await this.sendMetrics(isUncertain ? await this.keepMissing(some) : some);
    }
    this.isUncertain = false;
  }

  async rest({ state, adapter }: RunRest): Promise<void> {
    await this.sendFiles(adapter);
    const status = nameStatus(state);
    const ended = status === 'SCHEDULED' ? {} : { end_time: Date.now() };
    await this.client.post('runs/update', { run_id: this.runId, status, ...ended });
  }

  private async findExperiment(): Promise<string> {
    const name = this.target.experiment;
    const find = async () => {
      const { experiment } = await this.client.get('experiments/get-by-name', { experiment_name: name });
      return (experiment as { experiment_id: string }).experiment_id;
    };
    try {
      return await find();
    } catch (error) {
      if (!(error instanceof MlflowError) || error.answer?.code !== 'RESOURCE_DOES_NOT_EXIST') throw error;
    }
    try {
      return (await this.client.post('experiments/create', { name })).experiment_id as string;
    } catch (error) {
      // Another run made it in between.
      if (error instanceof MlflowError && error.answer?.code === 'RESOURCE_ALREADY_EXISTS') return await find();
      throw error;
    }
  }

  /** The run of an earlier process whose notes were lost, or whose request was answered to nobody. */
  private async findRun(): Promise<string | undefined> {
    const { runs } = await this.client.post('runs/search', {
      experiment_ids: [this.experimentId],
      filter: `tags."${runTag}" = '${this.run!.id}'`,
      max_results: 1,
    });
    return (runs as { info: { run_id: string } }[] | undefined)?.[0]?.info.run_id;
  }

  private async createRun(): Promise<void> {
    const { id, name, tags, record } = this.run!;
    const answer = await this.client.post('runs/create', {
      experiment_id: this.experimentId,
      run_name: name,
      start_time: Date.parse(record.createdAt),
      tags: [
        { key: runTag, value: id },
        { key: 'mlflow.source.name', value: 'Tuning Fork' },
        ...tags.map(tag => ({ key: `tuning_fork.tag.${tag.replace(/[^\w./-]/g, '_').slice(0, 100)}`, value: 'true' })),
      ],
    });
    this.take(answer.run);
    this.isUncertain = false;
  }

  private async continueRun(runId: string): Promise<void> {
    this.take((await this.client.get('runs/get', { run_id: runId })).run);
    await this.client.post('runs/update', { run_id: runId, status: 'RUNNING', run_name: this.run!.name });
  }

  private take(run: unknown): void {
    const { info } = run as { info: { run_id: string; artifact_uri?: string } };
    this.runId = info.run_id;
    this.artifactUri = info.artifact_uri ?? '';
  }

  private async sendConfig(): Promise<void> {
    const params = listConfig(this.run!.record).map(([key, value]) => ({
      key,
      value: String(value).slice(0, maxParamCharacters), // a number would be stored as an empty text
    }));
    for (let i = 0; i < params.length; i += paramsPerRequest) {
      await this.client.post('runs/log-batch', { run_id: this.runId, params: params.slice(i, i + paramsPerRequest) });
    }
  }

  private async sendMetrics(metrics: readonly MlflowMetric[]): Promise<void> {
    if (metrics.length === 0) return;
    const written = metrics.map(metric => ({ ...metric, value: writeMetricValue(metric.value) }));
    await this.client.post('runs/log-batch', { run_id: this.runId, metrics: written });
  }

  /** Those that the server has not got. */
  private async keepMissing(metrics: readonly MlflowMetric[]): Promise<MlflowMetric[]> {
    const arrived = new Set<string>();
    for (const key of new Set(metrics.map(metric => metric.key))) {
      for (let token = ''; ; ) {
        const query = { run_id: this.runId, metric_key: key, max_results: String(historyPage) };
        const page = await this.client.get(
          'metrics/get-history',
          token === '' ? query : { ...query, page_token: token },
        );
        for (const { step, timestamp } of (page.metrics ?? []) as { step?: unknown; timestamp: unknown }[]) {
          arrived.add(`${key} ${Number(step ?? 0)} ${Number(timestamp)}`);
        }
        token = typeof page.next_page_token === 'string' ? page.next_page_token : '';
        if (token === '') break;
      }
    }
    return metrics.filter(({ key, step, timestamp }) => !arrived.has(`${key} ${step} ${timestamp}`));
  }

  private async tellSuperseded(fromStep: number): Promise<void> {
    const tags = [{ key: 'tuning_fork.resumed_from_step', value: String(fromStep) }];
    await this.client.post('runs/log-batch', { run_id: this.runId, tags });
  }

  /** Recipe, samples and final adapter, where the server takes files. */
  private async sendFiles(adapter: string | undefined): Promise<void> {
    const root = findProxyRoot(this.artifactUri);
    const place = this.artifactUri.split('?')[0];
    this.remarks =
      root === undefined ? [`Files were not sent: the server keeps them at ${place}, not behind its proxy.`] : [];
    if (root === undefined) return;
    const { path } = this.run!;
    const files: [string, string][] = [];
    for (const name of [runNames.run, runNames.samples]) {
      if (existsSync(join(path, name))) files.push([name, join(path, name)]);
    }
    if (adapter !== undefined) {
      for (const entry of readdirSync(adapter, { withFileTypes: true })) {
        if (entry.isFile()) files.push([`adapter/${entry.name}`, join(adapter, entry.name)]);
      }
    }
    for (const [name, file] of files) {
      try {
        await this.client.putArtifact(`${root}${name}`, file);
      } catch (error) {
        if (!(error instanceof MlflowError) || error.answer === undefined || error.answer.status >= 500) throw error;
        this.remarks = [`Files were not sent: the server answered with status ${error.answer.status}.`];
        return;
      }
    }
  }
}

/** `mlflow-artifacts:/1/<run>/artifacts` -> `1/<run>/artifacts/`; undefined where the server has no proxy. */
function findProxyRoot(artifactUri: string): string | undefined {
  const match = /^mlflow-artifacts:(?:\/\/[^/]+)?\/+(.+)$/.exec(artifactUri);
  return match === null ? undefined : `${match[1]!.replace(/\/+$/, '')}/`;
}

/** A run that may go on is not ended in MLflow's eyes. */
function nameStatus(state: ShownState): 'FINISHED' | 'FAILED' | 'KILLED' | 'SCHEDULED' {
  if (state === 'finished') return 'FINISHED';
  if (state === 'stopped') return 'KILLED';
  return state === 'failed' || state === 'interrupted' ? 'FAILED' : 'SCHEDULED';
}
