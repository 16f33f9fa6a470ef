/** @file Names that clients use -> sessions and adapters that stay in memory, and the decoder that all requests of a session share. */
import { BatchDecoder, defaultBatchLimits } from '../../core/infer/batchDecoder.ts';
import type { DecodingSession } from '../../core/infer/decodingSession.ts';
import { type AttachedModel, ModelPool } from '../../core/infer/modelPool.ts';
import { Turns } from '../../core/infer/takeTurns.ts';
import { TuneError } from '../../shared/errors.ts';
import type { ServerOrder } from '../../shared/serverProtocol.ts';
import { ApiError } from './apiError.ts';

export interface ServedModel extends AttachedModel {
  readonly decoder: BatchDecoder;
}

type Progress = (phase: string, done: number, total: number) => void;

/** Adapters in memory at once; others are read again when they are asked for. */
const maxAdapters = 16;

export class ModelDirectory {
  readonly createdSec = Math.floor(Date.now() / 1000);
  private readonly order: ServerOrder;
  private readonly pool: ModelPool;
  private readonly turns = new Turns();
  private readonly decoders = new WeakMap<DecodingSession, BatchDecoder>();
  /** By name; null for the base. */
  private readonly models = new Map<string, readonly string[] | null>();

  constructor(order: ServerOrder, tinyFolder: string, onProgress: Progress) {
    this.order = order;
    this.pool = new ModelPool({
      models: { tinyFolder, hub: { settings: order.hub ?? undefined } },
      weights: order.weights,
      maxAdapters,
      // The base, the base in floats, and whole models of full fine-tuning: none makes room for another while it answers.
      maxModels: 2 + order.adapters.length,
      onProgress: (_, phase, done, total) => onProgress(phase, done, total),
    });
  }

  /**
   * Loads the base and looks at every adapter once, so that what cannot be used is known before anybody asks.
   * @throws TuneError as models and adapters are opened
   */
  async open(): Promise<{ contextTokens: number; remarks: string[] }> {
    const { model, modelId, adapters } = this.order;
    const session = await this.pool.open(model);
    this.models.set(modelId, null);
    const remarks: string[] = [];
    for (const { id, paths, isRequired } of adapters) {
      try {
        await this.pool.attach(model, paths);
        this.models.set(id, paths);
      } catch (error) {
        if (isRequired || !(error instanceof TuneError)) throw error;
        remarks.push(`${id} is left out. ${error.message}`);
      }
    }
    return { contextTokens: session.resident.contextTokens, remarks };
  }

  list(): string[] {
    return [...this.models.keys()];
  }

  /** @throws ApiError 404 */
  require(id: string): readonly string[] | null {
    const paths = this.models.get(id);
    if (paths !== undefined) return paths;
    throw new ApiError(404, `model: expected one of ${this.list().join(', ')}, got ${JSON.stringify(id)}.`, {
      param: 'model',
      code: 'model_not_found',
    });
  }

  /** @throws ApiError 404; TuneError when an adapter has changed and cannot be used any more */
  async attach(id: string): Promise<ServedModel> {
    const paths = this.require(id);
    const attached = await this.turns.take(() => this.pool.attach(this.order.model, paths));
    const { session } = attached;
    const limits = { ...defaultBatchLimits, maxRows: this.order.maxRows };
    const decoder = this.decoders.get(session) ?? new BatchDecoder(session, limits);
    this.decoders.set(session, decoder);
    return { ...attached, decoder };
  }

  async release(): Promise<void> {
    await this.pool.release();
  }
}
