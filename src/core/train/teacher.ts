/** @file A model that is learned from: forward passes only, and of each label's distribution the likeliest tokens. */
import type { TensorSource } from '../formats/tensorSource.ts';
import type { Model } from '../models/findArchitecture.ts';
import { topTokenOutputs } from '../models/lossHead.ts';
import type { TrainableSpec } from '../models/trainableSpec.ts';
import type { BatchShape } from '../models/trainingContext.ts';
import { buildTrainingGraph } from '../models/trainingGraph.ts';
import type { GraphSession } from '../runtime/graphSession.ts';
import { floatData } from '../runtime/tensor.ts';
import type { PackedBatch, TeacherTokens } from '../text/packedBatch.ts';
import { makeBatchFeeds } from './batchFeeds.ts';
import { type EngineTensors, loadEngineTensors } from './engineTensors.ts';
import { compileGraph } from './wholeGraphEngine.ts';

export interface TeacherSettings extends BatchShape {
  readonly model: Model;
  /** May be closed once the teacher is there. */
  readonly weights: TensorSource;
  /** Tokens kept of each distribution. */
  readonly topK: number;
  readonly temperature: number;
  /** 0 = one a physical core. */
  readonly threads: number;
}

const noAdapter: TrainableSpec = { method: 'lora', rank: 0, scale: 1, mergesWeights: false, targets: new Set() };

export class Teacher {
  private readonly settings: TeacherSettings;
  private readonly session: GraphSession;
  private readonly feeds: EngineTensors['feeds'];

  private constructor(settings: TeacherSettings, session: GraphSession, feeds: EngineTensors['feeds']) {
    this.settings = settings;
    this.session = session;
    this.feeds = feeds;
  }

  /** @throws TuneError `model-invalid` */
  static async create(settings: TeacherSettings): Promise<Teacher> {
    const { model, weights, topK, temperature, threads, batchRows, contextTokens } = settings;
    const loss = { kind: 'topTokens', count: topK, temperature } as const;
    const graph = buildTrainingGraph(model, { batchRows, contextTokens }, noAdapter, 'evaluation', loss);
    const { feeds } = loadEngineTensors(model, weights, noAdapter, { seed: 0, contextTokens });
    return new Teacher(settings, await compileGraph(graph, { threads }), feeds);
  }

  async describeLabels(batch: PackedBatch): Promise<TeacherTokens> {
    const { topK } = this.settings;
    if (batch.labels.length === 0) return { topK, ids: new Int32Array(), logProbabilities: new Float32Array() };
    const results = await this.session.run({ ...this.feeds, ...makeBatchFeeds(batch, this.settings, 1) });
    const ids = results[topTokenOutputs.ids]!.data as Int32Array;
    return { topK, ids, logProbabilities: floatData(results[topTokenOutputs.logProbabilities]!) };
  }

  dispose(): Promise<void> {
    return this.session.release();
  }
}
