/** @file Training with the whole model in one graph: fast, and keeps every layer's activations until its backward pass. */
import { emitOnnx } from '../graph/emitOnnx.ts';
import type { Model } from '../models/findArchitecture.ts';
import type { LossSpec } from '../models/lossSpec.ts';
import { isTrained, type TrainableSpec } from '../models/trainableSpec.ts';
import type { BatchShape } from '../models/trainingContext.ts';
import {
  buildTrainingGraph,
  embeddedGradientOutput,
  gradientOutput,
  type TrainingGraph,
} from '../models/trainingGraph.ts';
import { GraphSession, type SessionOptions } from '../runtime/graphSession.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import { emptyLoss, makeBatchFeeds } from './batchFeeds.ts';
import { type DropoutMasks, firstDraw } from './dropoutMasks.ts';
import type { EngineTensors } from './engineTensors.ts';
import { GradientSink } from './gradientSink.ts';
import { fetchLosses, measureLoss } from './measureLoss.ts';
import type { BatchLoss, TrainableParameter, TrainingEngine } from './trainingEngine.ts';

export interface EngineSetup {
  readonly model: Model;
  readonly shape: BatchShape;
  readonly trainable: TrainableSpec;
  readonly tensors: EngineTensors;
  readonly session: SessionOptions;
  readonly dropout?: DropoutMasks | undefined;
  readonly loss: LossSpec;
}

export function compileGraph({ graph, outputs }: TrainingGraph, options: SessionOptions): Promise<GraphSession> {
  return GraphSession.create(emitOnnx(graph, outputs), options);
}

export class WholeGraphEngine implements TrainingEngine {
  readonly parameters: readonly TrainableParameter[];
  readonly weights: Readonly<Record<string, RuntimeTensor>>;
  readonly model: Model;
  private readonly setup: EngineSetup;
  private readonly training: GraphSession;
  private readonly sink: GradientSink;
  private readonly embeddedGradient: RuntimeTensor | undefined;
  private evaluation: GraphSession | undefined;

  private constructor(setup: EngineSetup, training: GraphSession) {
    const { shape, model, trainable, tensors } = setup;
    this.setup = setup;
    this.training = training;
    this.parameters = tensors.parameters;
    this.weights = tensors.feeds;
    this.model = model;
    this.sink = new GradientSink(tensors.parameters);
    const { embedding } = model.architecture.describeParameters(model.config);
    if (isTrained(trainable, embedding)) {
      const dims = [shape.batchRows * shape.contextTokens, model.config.hiddenSize] as const;
      this.embeddedGradient = makeTensor('float32', new Float32Array(dims[0] * dims[1]), dims);
    }
  }

  static async create(setup: EngineSetup): Promise<WholeGraphEngine> {
    const graph = buildTrainingGraph(setup.model, setup.shape, setup.trainable, 'training', setup.loss);
    return new WholeGraphEngine(setup, await compileGraph(graph, setup.session));
  }

  zeroGradients(): void {
    this.sink.zero();
  }

  async accumulate(batch: PackedBatch, tokenWeight: number, draw = firstDraw): Promise<BatchLoss> {
    if (batch.labels.length === 0) return emptyLoss;
    const { shape, tensors, model, dropout } = this.setup;
    const names = this.parameters
      .map(({ name }) => name)
      .filter(name => this.training.outputNames.includes(gradientOutput(name)));
    const fetches: Record<string, RuntimeTensor | null> = { ...fetchLosses(this.setup.loss) };
    for (const name of names) fetches[gradientOutput(name)] = this.sink.open(name);
    if (this.embeddedGradient) fetches[embeddedGradientOutput] = this.embeddedGradient;
    const results = await this.training.run(
      { ...tensors.feeds, ...makeBatchFeeds(batch, shape, tokenWeight), ...dropout?.draw(draw) },
      fetches,
    );
    for (const name of names) this.sink.close(name);
    if (this.embeddedGradient) {
      const { embedding } = model.architecture.describeParameters(model.config);
      this.sink.addRows(embedding.name, floatData(this.embeddedGradient), batch.tokenIds, model.config.hiddenSize);
    }
    return measureLoss(results, batch, this.setup.loss);
  }

  async evaluate(batch: PackedBatch): Promise<BatchLoss> {
    if (batch.labels.length === 0) return emptyLoss;
    const { model, shape, trainable, session, tensors, loss } = this.setup;
    const graph = () => buildTrainingGraph(model, shape, trainable, 'evaluation', loss);
    this.evaluation ??= await compileGraph(graph(), { ...session, halfPrecision: false });
    const results = await this.evaluation.run({ ...tensors.feeds, ...makeBatchFeeds(batch, shape, 1) });
    return measureLoss(results, batch, this.setup.loss);
  }

  async dispose(): Promise<void> {
    await this.training.release();
    await this.evaluation?.release();
  }
}
