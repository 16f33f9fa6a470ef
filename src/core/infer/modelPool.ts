/**
 * @file Names of models and adapters -> sessions and adapter inputs that stay in memory: a base is loaded once for all
 * its adapters; the one that was not used for longest makes room for another. What changed on disk is read again.
 * One call at a time: a model may be let go by the next one.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Adapter, adapterFileNames } from '../adapter/readAdapter.ts';
import { type OpenModelOptions, openModel } from '../models/openModel.ts';
import type { SessionOptions } from '../runtime/graphSession.ts';
import { loadTransformers } from '../runtime/transformersLibrary.ts';
import { type AdapterInputs, makeAdapterInputs, needsFloats } from './adapterInputs.ts';
import { DecodingSession } from './decodingSession.ts';
import { findOutputs } from './findOutput.ts';
import { readAdapters } from './readAdapters.ts';
import { loadResidentModel, type WeightsKept } from './residentModel.ts';

export interface ModelPoolOptions extends SessionOptions {
  readonly models: OpenModelOptions;
  /** Models in memory at most; default 2, a base and a model of full fine-tuning beside it. */
  readonly maxModels?: number;
  /** Adapters of a model in memory at most, default 4. */
  readonly maxAdapters?: number;
  /** How weights that are stored in quantized blocks are kept: see LoadOptions. */
  readonly weights?: WeightsKept | undefined;
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

const usualAdapters = 4;

export class ModelPool {
  private readonly options: ModelPoolOptions;
  /** By how its weights are kept and the name it was asked for; the one used last stands at the end. */
  private readonly entries = new Map<string, Entry>();

  constructor(options: ModelPoolOptions) {
    this.options = options;
  }

  /** @throws TuneError as `openModel` and `loadResidentModel`; AbortError when cancelled */
  async open(model: string, signal?: AbortSignal): Promise<DecodingSession> {
    return (await this.find(model, signal)).session;
  }

  /**
   * The base model with an adapter or the sum of several, a full run's model in its place, or the base alone for null.
   * @throws TuneError `adapter-invalid`, and as `open`
   */
  async attach(
    model: string,
    adapter: string | readonly string[] | null,
    signal?: AbortSignal,
  ): Promise<AttachedModel> {
    const output = adapter === null ? undefined : findOutputs([adapter].flat());
    if (output?.kind === 'model') return attachBase(await this.find(output.folder, signal));
    const entry = await this.find(model, signal);
    if (output === undefined) return attachBase(entry);
    return findAttached(entry, output.folders) ?? this.attachAdapter(model, entry, output.folders, signal);
  }

  /** An adapter that works on the base's floats gets the model in floats, beside the one that is there. */
  private async attachAdapter(
    model: string,
    entry: Entry,
    folders: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<AttachedModel> {
    const adapter = readAdapters(folders, entry.session.resident.model);
    const { maxAdapters = usualAdapters } = this.options;
    if (!needsFloats(adapter) || entry.session.resident.packed === undefined) {
      return attach(entry, folders, adapter, maxAdapters);
    }
    return attach(await this.find(model, signal, 'float'), folders, adapter, maxAdapters);
  }

  /** Frees everything. */
  async release(): Promise<void> {
    for (const name of [...this.entries.keys()]) await this.drop(name);
  }

  private async find(
    model: string,
    signal: AbortSignal | undefined,
    weights: WeightsKept = this.options.weights ?? 'stored',
  ): Promise<Entry> {
    const key = `${weights} ${model}`;
    const known = this.entries.get(key);
    if (known !== undefined && fingerprintFiles(known.files) === known.fingerprint) {
      this.entries.delete(key);
      this.entries.set(key, known);
      return known;
    }
    await this.drop(key);
    const { maxModels = 2 } = this.options;
    for (const name of [...this.entries.keys()].slice(0, Math.max(0, this.entries.size - maxModels + 1))) {
      await this.drop(name);
    }
    const entry = await this.load(model, signal, weights);
    this.entries.set(key, entry);
    return entry;
  }

  private async load(model: string, signal: AbortSignal | undefined, weights: WeightsKept): Promise<Entry> {
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
        weights,
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

/** Undefined when the adapter was not attached yet or has changed since. */
function findAttached({ session, adapters }: Entry, folders: readonly string[]): AttachedModel | undefined {
  const known = adapters.get(folders.join('\n'));
  return known?.fingerprint === fingerprintAdapters(folders) ? { session, adapter: known.inputs } : undefined;
}

function attach(
  { session, adapters }: Entry,
  folders: readonly string[],
  adapter: Adapter,
  maxAdapters: number,
): AttachedModel {
  const inputs = makeAdapterInputs(session.resident.model, adapter, session.resident);
  const key = folders.join('\n');
  adapters.delete(key);
  adapters.set(key, { fingerprint: fingerprintAdapters(folders), inputs });
  const [oldest] = adapters.keys();
  if (adapters.size > maxAdapters && oldest !== undefined) adapters.delete(oldest);
  return { session, adapter: inputs };
}

function fingerprintAdapters(folders: readonly string[]): string {
  return fingerprintFiles(folders.flatMap(folder => Object.values(adapterFileNames).map(name => join(folder, name))));
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
