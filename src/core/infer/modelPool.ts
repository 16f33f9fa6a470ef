/**
 * @file Names of models and adapters -> sessions and adapter inputs that stay in memory: a base is loaded once for all
 * its adapters; the one that was not used for longest makes room for another. What changed on disk is read again.
 * One call at a time: a model may be let go by the next one.
 */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { adapterFileNames, readAdapter } from '../adapter/readAdapter.ts';
import { type OpenModelOptions, openModel } from '../models/openModel.ts';
import type { SessionOptions } from '../runtime/graphSession.ts';
import { loadTransformers } from '../runtime/transformersLibrary.ts';
import { type AdapterInputs, makeAdapterInputs } from './adapterInputs.ts';
import { DecodingSession } from './decodingSession.ts';
import { findOutput } from './findOutput.ts';
import { loadResidentModel } from './residentModel.ts';

export interface ModelPoolOptions extends SessionOptions {
  readonly models: OpenModelOptions;
  /** Models in memory at most; default 2, a base and a model of full fine-tuning beside it. */
  readonly maxModels?: number;
  readonly onProgress?: (model: string, phase: string, done: number, total: number) => void;
}

/** A base or tuned model, ready to answer. */
export interface AttachedModel {
  readonly session: DecodingSession;
  readonly adapter: AdapterInputs;
}

interface Entry {
  readonly session: DecodingSession;
  /** Of the weight files as they were read. */
  readonly files: readonly string[];
  readonly fingerprint: string;
  readonly adapters: Map<string, { readonly fingerprint: string; readonly inputs: AdapterInputs }>;
}

const maxAdapters = 4;

export class ModelPool {
  private readonly options: ModelPoolOptions;
  /** By the name it was asked for; the one used last stands at the end. */
  private readonly entries = new Map<string, Entry>();

  constructor(options: ModelPoolOptions) {
    this.options = options;
  }

  /** @throws TuneError as `openModel` and `loadResidentModel`; AbortError when cancelled */
  async open(model: string, signal?: AbortSignal): Promise<DecodingSession> {
    return (await this.find(model, signal)).session;
  }

  /**
   * The base model with an adapter, a full run's model in its place, or the base alone for null.
   * @throws TuneError `adapter-invalid`, and as `open`
   */
  async attach(model: string, adapter: string | null, signal?: AbortSignal): Promise<AttachedModel> {
    const output = adapter === null ? undefined : findOutput(resolve(adapter));
    if (output?.kind === 'model') return attachBase(await this.find(output.folder, signal));
    const entry = await this.find(model, signal);
    return output === undefined ? attachBase(entry) : attachAdapter(entry, output.folder);
  }

  /** Frees everything. */
  async release(): Promise<void> {
    for (const name of [...this.entries.keys()]) await this.drop(name);
  }

  private async find(model: string, signal: AbortSignal | undefined): Promise<Entry> {
    const known = this.entries.get(model);
    if (known !== undefined && fingerprintFiles(known.files) === known.fingerprint) {
      this.entries.delete(model);
      this.entries.set(model, known);
      return known;
    }
    await this.drop(model);
    const { maxModels = 2 } = this.options;
    for (const name of [...this.entries.keys()].slice(0, Math.max(0, this.entries.size - maxModels + 1))) {
      await this.drop(name);
    }
    const entry = await this.load(model, signal);
    this.entries.set(model, entry);
    return entry;
  }

  private async load(model: string, signal: AbortSignal | undefined): Promise<Entry> {
    const say = (phase: string, done: number, total: number) => this.options.onProgress?.(model, phase, done, total);
    say('opening model', 0, 1);
    const { models } = this.options;
    const opened = await openModel(model, {
      ...models,
      hub: {
        ...models.hub,
        signal,
        onProgress: ({ doneBytes, totalBytes }) => say('downloading', doneBytes, totalBytes),
      },
    });
    try {
      const files = opened.weightFiles.map(({ path }) => path);
      const fingerprint = fingerprintFiles(files);
      const resident = await loadResidentModel(opened, {
        signal,
        onProgress: (done, total) => say('loading weights', Math.min(done, total - 1), total),
      });
      const session = await DecodingSession.create(resident, this.options);
      await warmUp(session);
      say('ready', 1, 1);
      return { session, files, fingerprint, adapters: new Map() };
    } finally {
      opened.close();
    }
  }

  private async drop(name: string): Promise<void> {
    const entry = this.entries.get(name);
    this.entries.delete(name);
    await entry?.session.release();
  }
}

/** What only the first answer would wait for is done now, so that the answers of base and adapter start alike. */
async function warmUp(session: DecodingSession): Promise<void> {
  await loadTransformers();
  const { cache } = await session.extend([0, 0], session.emptyCache(), session.baseInputs);
  await session.extend([0], cache, session.baseInputs);
}

function attachBase({ session }: Entry): AttachedModel {
  return { session, adapter: session.baseInputs };
}

function attachAdapter({ session, adapters }: Entry, folder: string): AttachedModel {
  const fingerprint = fingerprintFiles(Object.values(adapterFileNames).map(name => join(folder, name)));
  const known = adapters.get(folder);
  if (known?.fingerprint === fingerprint) return { session, adapter: known.inputs };
  const inputs = makeAdapterInputs(session.resident.model, readAdapter(folder), session.resident.weights);
  adapters.delete(folder);
  adapters.set(folder, { fingerprint, inputs });
  const [oldest] = adapters.keys();
  if (adapters.size > maxAdapters && oldest !== undefined) adapters.delete(oldest);
  return { session, adapter: inputs };
}

/** Changes when one of the files is replaced. */
function fingerprintFiles(files: readonly string[]): string {
  return files
    .map(file => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return `${file}:${stats?.size}:${stats?.mtimeMs}`;
    })
    .join('\n');
}
