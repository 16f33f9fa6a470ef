/**
 * @file Training a layer at a time: small sessions that all layers share, each layer computed again on the way back.
 * Only the layers' inputs are kept, [M, C] each. Slower by about one forward pass, and half the memory or less.
 */
import type { ParameterInfo } from '../models/architecture.ts';
import { dropoutInputNames } from '../models/dropoutInputs.ts';
import { buildHeadGraph, buildLayerBackward, buildLayerForward, layerNames } from '../models/layerGraphs.ts';
import { moduleOf } from '../models/loraNames.ts';
import { splitTable } from '../models/parameterTensors.ts';
import { listTrainable } from '../models/trainingContext.ts';
import { gradientOutput, lossesOutput } from '../models/trainingGraph.ts';
import { describeWeightInputs, formOf } from '../models/weightForm.ts';
import type { GraphSession } from '../runtime/graphSession.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import { emptyLoss, makeBatchFeeds, sumLosses } from './batchFeeds.ts';
import { firstDraw } from './dropoutMasks.ts';
import { GradientSink } from './gradientSink.ts';
import type { BatchLoss, TrainableParameter, TrainingEngine } from './trainingEngine.ts';
import { compileGraph, type EngineSetup } from './wholeGraphEngine.ts';

type Feeds = Record<string, RuntimeTensor>;

interface LayerSessions {
  readonly forward: GraphSession;
  readonly backward: GraphSession;
  readonly head: GraphSession;
}

export class LayeredEngine implements TrainingEngine {
  readonly parameters: readonly TrainableParameter[];
  readonly weights: Readonly<Record<string, RuntimeTensor>>;
  private readonly setup: EngineSetup;
  private readonly sessions: LayerSessions;
  private readonly sink: GradientSink;
  /** For each layer, its tensors under layer 0's names. */
  private readonly layerFeeds: readonly Feeds[];
  /** For each layer, its trainable tensors' names beside layer 0's. */
  private readonly layerTrainables: readonly (readonly { readonly name: string; readonly slot: string }[])[];
  /** For each layer, its dropout inputs beside layer 0's. */
  private readonly dropoutNames: readonly (readonly { readonly name: string; readonly slot: string }[])[];
  /** What each layer reads, and what the last one hands to the head; [M, C] each. */
  private readonly hidden: readonly RuntimeTensor[];
  /** Two gradients between layers: one read, one written. */
  private readonly flowing: readonly [RuntimeTensor, RuntimeTensor];
  private evaluationHead: GraphSession | undefined;
  /** The training one unless that has dropout. */
  private evaluationForward: GraphSession | undefined;

  private constructor(setup: EngineSetup, sessions: LayerSessions) {
    const { model, shape, trainable, tensors } = setup;
    this.setup = setup;
    this.sessions = sessions;
    this.parameters = tensors.parameters;
    this.weights = tensors.feeds;
    this.sink = new GradientSink(tensors.parameters);
    const { layers } = model.architecture.describeParameters(model.config);
    this.layerTrainables = layers.map(layer => {
      const slots = listTrainable(layers[0]!, trainable);
      return listTrainable(layer, trainable).map(({ name }, index) => ({ name, slot: slots[index]!.name }));
    });
    this.layerFeeds = layers.map((layer, number) => {
      const feeds = layer.flatMap((parameter, index): [string, RuntimeTensor][] => {
        const form = formOf(model, parameter);
        const slots = describeWeightInputs(layers[0]![index]!, form);
        return describeWeightInputs(parameter, form).map(({ name }, i) => [slots[i]!.name, tensors.feeds[name]!]);
      });
      for (const { name, slot } of this.layerTrainables[number]!) feeds.push([slot, tensors.feeds[name]!]);
      return Object.fromEntries(feeds);
    });
    const nameRows = (weight: ParameterInfo): string => dropoutInputNames.rows(moduleOf(weight));
    this.dropoutNames = layers.map(layer =>
      layer.map((weight, index) => ({ name: nameRows(weight), slot: nameRows(layers[0]![index]!) })),
    );
    const makeHidden = (): RuntimeTensor => {
      const dims = [shape.batchRows * shape.contextTokens, model.config.hiddenSize] as const;
      return makeTensor('float32', new Float32Array(dims[0] * dims[1]), dims);
    };
    this.hidden = Array.from({ length: layers.length + 1 }, makeHidden);
    this.flowing = [makeHidden(), makeHidden()];
  }

  static async create(setup: EngineSetup): Promise<LayeredEngine> {
    const { model, shape, trainable, session } = setup;
    return new LayeredEngine(setup, {
      forward: await compileGraph(buildLayerForward(model, shape, trainable, 'training'), session),
      backward: await compileGraph(buildLayerBackward(model, shape, trainable), session),
      head: await compileGraph(buildHeadGraph(model, shape, trainable, 'training'), session),
    });
  }

  zeroGradients(): void {
    this.sink.zero();
  }

  async accumulate(batch: PackedBatch, tokenWeight: number, draw = firstDraw): Promise<BatchLoss> {
    if (batch.labels.length === 0) return emptyLoss;
    const { model, shape, tensors, trainable, dropout } = this.setup;
    const masks = dropout?.draw(draw) ?? {};
    const batchFeeds = { ...tensors.feeds, ...makeBatchFeeds(batch, shape, tokenWeight), ...masks };
    await this.runForward(this.sessions.forward, batch, batchFeeds, index => this.hidden[index]!);
    const loss = await this.runHead(batch, batchFeeds);
    let [read, write] = this.flowing;
    for (let layer = this.layerFeeds.length - 1; layer >= 0; layer--) {
      await this.runBackward(layer, batchFeeds, read, write);
      [read, write] = [write, read];
    }
    if (trainable.method === 'full') {
      const { embedding } = model.architecture.describeParameters(model.config);
      this.sink.addRows(embedding.name, floatData(read), batch.tokenIds, model.config.hiddenSize);
    }
    return loss;
  }

  async evaluate(batch: PackedBatch): Promise<BatchLoss> {
    if (batch.labels.length === 0) return emptyLoss;
    const { model, shape, tensors, trainable, session, dropout } = this.setup;
    this.evaluationHead ??= await compileGraph(buildHeadGraph(model, shape, trainable, 'evaluation'), session);
    this.evaluationForward ??= dropout
      ? await compileGraph(buildLayerForward(model, shape, trainable, 'evaluation'), session)
      : this.sessions.forward;
    const batchFeeds = { ...tensors.feeds, ...makeBatchFeeds(batch, shape, 1) };
    const last = await this.runForward(this.evaluationForward, batch, batchFeeds, index => this.hidden[index % 2]!);
    const results = await this.evaluationHead.run({ ...batchFeeds, [layerNames.hidden]: last });
    return sumLosses(results[lossesOutput]!, batch);
  }

  async dispose(): Promise<void> {
    const { forward, backward, head } = this.sessions;
    const sessions = new Set([forward, backward, head, this.evaluationHead, this.evaluationForward]);
    for (const session of sessions) await session?.release();
  }

  /** Runs all layers; `slot` says where the input of each, and the last one's output, is kept. */
  private async runForward(
    session: GraphSession,
    batch: PackedBatch,
    batchFeeds: Feeds,
    slot: (index: number) => RuntimeTensor,
  ): Promise<RuntimeTensor> {
    this.embedTokens(batch.tokenIds, floatData(slot(0)));
    for (const [layer, feeds] of this.layerFeeds.entries()) {
      await session.run(
        { ...batchFeeds, ...feeds, ...this.renameDropout(layer, batchFeeds), [layerNames.hidden]: slot(layer) },
        { [layerNames.output]: slot(layer + 1) },
      );
    }
    return slot(this.layerFeeds.length);
  }

  private async runHead(batch: PackedBatch, batchFeeds: Feeds): Promise<BatchLoss> {
    const { model, trainable } = this.setup;
    const { finalNorm, head } = model.architecture.describeParameters(model.config);
    const names = listTrainable([finalNorm, head], trainable).map(({ name }) => name);
    const results = await this.sessions.head.run(
      { ...batchFeeds, [layerNames.hidden]: this.hidden.at(-1)! },
      {
        [lossesOutput]: null,
        [layerNames.hiddenGradient]: this.flowing[0],
        ...Object.fromEntries(names.map(name => [gradientOutput(name), this.sink.open(name)])),
      },
    );
    for (const name of names) this.sink.close(name);
    return sumLosses(results[lossesOutput]!, batch);
  }

  private async runBackward(
    layer: number,
    batchFeeds: Feeds,
    read: RuntimeTensor,
    write: RuntimeTensor,
  ): Promise<void> {
    const trainables = this.layerTrainables[layer]!;
    await this.sessions.backward.run(
      {
        ...batchFeeds,
        ...this.layerFeeds[layer]!,
        ...this.renameDropout(layer, batchFeeds),
        [layerNames.hidden]: this.hidden[layer]!,
        [layerNames.outputGradient]: read,
      },
      {
        [layerNames.hiddenGradient]: write,
        ...Object.fromEntries(trainables.map(({ name, slot }) => [gradientOutput(slot), this.sink.open(name, slot)])),
      },
    );
    for (const { name, slot } of trainables) this.sink.close(name, slot);
  }

  /** The layer's rows of the dropout masks under layer 0's names. */
  private renameDropout(layer: number, batchFeeds: Feeds): Feeds {
    return Object.fromEntries(
      this.dropoutNames[layer]!.flatMap(({ name, slot }) => {
        const rows = batchFeeds[name];
        return rows === undefined ? [] : [[slot, rows]];
      }),
    );
  }

  private embedTokens(tokenIds: Int32Array, hidden: Float32Array): void {
    const { model, tensors, trainable } = this.setup;
    const width = model.config.hiddenSize;
    const { embedding } = model.architecture.describeParameters(model.config);
    const shards = trainable.method === 'full' ? [embedding] : splitTable(model, embedding);
    const tables = shards.map(({ name }) => floatData(tensors.feeds[name]!));
    const shardRows = shards[0]!.shape[0]!;
    for (const [row, id] of tokenIds.entries()) {
      const from = (id % shardRows) * width;
      hidden.set(tables[Math.floor(id / shardRows)]!.subarray(from, from + width), row * width);
    }
  }
}
