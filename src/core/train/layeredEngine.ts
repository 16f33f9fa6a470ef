/**
 * @file Training a layer at a time: small sessions that layers of a kind share, each computed again on the way back.
 * Only the layers' inputs are kept, [M, C] each. Slower by about one forward pass, and half the memory or less.
 */
import { decodeBlocks } from '../formats/weightBlocks.ts';
import { scaleRows } from '../models/architectures/embeddingScale.ts';
import type { Model } from '../models/findArchitecture.ts';
import { buildHeadGraph, buildLayerBackward, buildLayerForward, layerNames } from '../models/layerGraphs.ts';
import { type LayerPlan, listLayerKinds, planLayers } from '../models/layerKinds.ts';
import { splitTable } from '../models/parameterTensors.ts';
import { isTrained, listTrainable } from '../models/trainableSpec.ts';
import { gradientOutput, type TrainingGraph } from '../models/trainingGraph.ts';
import { evaluatesFiner } from '../models/weightForm.ts';
import type { GraphSession } from '../runtime/graphSession.ts';
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import { emptyLoss, makeBatchFeeds } from './batchFeeds.ts';
import { firstDraw } from './dropoutMasks.ts';
import { GradientSink } from './gradientSink.ts';
import { fetchLosses, measureLoss } from './measureLoss.ts';
import type { BatchLoss, TrainableParameter, TrainingEngine } from './trainingEngine.ts';
import { compileGraph, type EngineSetup } from './wholeGraphEngine.ts';

type Feeds = Record<string, RuntimeTensor>;

interface LayerSessions {
  readonly forward: GraphSession;
  /** The same without dropout, in float32 and with finer integer products; `forward` itself where nothing differs. */
  readonly evaluation: GraphSession;
  readonly backward: GraphSession;
}

interface EngineSessions {
  /** By the first layer of each kind. */
  readonly layers: ReadonlyMap<number, LayerSessions>;
  readonly head: GraphSession;
}

export class LayeredEngine implements TrainingEngine {
  readonly parameters: readonly TrainableParameter[];
  readonly weights: Readonly<Record<string, RuntimeTensor>>;
  readonly model: Model;
  private readonly setup: EngineSetup;
  private readonly sessions: EngineSessions;
  private readonly sink: GradientSink;
  private readonly layers: readonly LayerPlan[];
  /** The lowest layer that gradients have to reach. */
  private readonly lowest: number;
  /** What each layer reads, and what the last one hands to the head; [M, C] each. Below the lowest two take turns. */
  private readonly hidden: readonly RuntimeTensor[];
  /** Two gradients between layers: one read, one written. */
  private readonly flowing: readonly [RuntimeTensor, RuntimeTensor];
  private evaluationHead: GraphSession | undefined;

  private constructor(setup: EngineSetup, sessions: EngineSessions) {
    const { model, shape, trainable, tensors } = setup;
    this.setup = setup;
    this.sessions = sessions;
    this.parameters = tensors.parameters;
    this.weights = tensors.feeds;
    this.model = model;
    this.sink = new GradientSink(tensors.parameters);
    this.layers = planLayers(model, trainable);
    const { embedding } = model.architecture.describeParameters(model.config);
    const first = this.layers.findIndex(({ trainables }) => trainables.length > 0);
    this.lowest = isTrained(trainable, embedding) ? 0 : first < 0 ? this.layers.length : first;
    const makeHidden = (): RuntimeTensor => {
      const dims = [shape.batchRows * shape.contextTokens, model.config.hiddenSize] as const;
      return makeTensor('float32', new Float32Array(dims[0] * dims[1]), dims);
    };
    const turns = [makeHidden(), makeHidden()];
    this.hidden = Array.from({ length: this.layers.length + 1 }, (_, index) =>
      index < this.lowest ? turns[index % 2]! : makeHidden(),
    );
    this.flowing = [makeHidden(), makeHidden()];
  }

  static async create(setup: EngineSetup): Promise<LayeredEngine> {
    const { model, shape, trainable, session, dropout, loss } = setup;
    const layers = new Map<number, LayerSessions>();
    const exact = { ...session, halfPrecision: false };
    for (const kind of new Set(listLayerKinds(model, trainable))) {
      const compile = (graph: TrainingGraph, options = session): Promise<GraphSession> => compileGraph(graph, options);
      const forward = await compile(buildLayerForward(model, shape, trainable, kind, 'training'));
      layers.set(kind, {
        forward,
        evaluation:
          dropout || session.halfPrecision || evaluatesFiner(model.weightForms)
            ? await compile(buildLayerForward(model, shape, trainable, kind, 'evaluation'), exact)
            : forward,
        backward: await compile(buildLayerBackward(model, shape, trainable, kind)),
      });
    }
    const head = await compileGraph(buildHeadGraph(model, shape, trainable, 'training', loss), session);
    return new LayeredEngine(setup, { layers, head });
  }

  zeroGradients(): void {
    this.sink.zero();
  }

  async accumulate(batch: PackedBatch, tokenWeight: number, draw = firstDraw): Promise<BatchLoss> {
    if (batch.labels.length === 0) return emptyLoss;
    const { model, shape, tensors, trainable, dropout } = this.setup;
    const masks = dropout?.draw(draw) ?? {};
    const batchFeeds = { ...tensors.feeds, ...makeBatchFeeds(batch, shape, tokenWeight), ...masks };
    await this.runForward('forward', batch, batchFeeds, index => this.hidden[index]!);
    const loss = await this.runHead(batch, batchFeeds);
    let [read, write] = this.flowing;
    for (let layer = this.layers.length - 1; layer >= this.lowest; layer--) {
      await this.runBackward(layer, batchFeeds, read, write);
      [read, write] = [write, read];
    }
    const { embedding } = model.architecture.describeParameters(model.config);
    if (isTrained(trainable, embedding)) {
      scaleRows(floatData(read), model.config);
      this.sink.addRows(embedding.name, floatData(read), batch.tokenIds, model.config.hiddenSize);
    }
    return loss;
  }

  async evaluate(batch: PackedBatch): Promise<BatchLoss> {
    if (batch.labels.length === 0) return emptyLoss;
    const { model, shape, tensors, trainable, session, loss } = this.setup;
    const graph = () => buildHeadGraph(model, shape, trainable, 'evaluation', loss);
    this.evaluationHead ??= await compileGraph(graph(), { ...session, halfPrecision: false });
    const batchFeeds = { ...tensors.feeds, ...makeBatchFeeds(batch, shape, 1) };
    const last = await this.runForward('evaluation', batch, batchFeeds, index => this.hidden[index % 2]!);
    const results = await this.evaluationHead.run({ ...batchFeeds, [layerNames.hidden]: last });
    return measureLoss(results, batch, this.setup.loss);
  }

  async dispose(): Promise<void> {
    const { layers, head } = this.sessions;
    const ofLayers = [...layers.values()].flatMap(({ forward, evaluation, backward }) => [
      forward,
      evaluation,
      backward,
    ]);
    for (const session of new Set([...ofLayers, head, this.evaluationHead])) await session?.release();
  }

  /** Runs all layers; `slot` says where the input of each, and the last one's output, is kept. */
  private async runForward(
    purpose: 'forward' | 'evaluation',
    batch: PackedBatch,
    batchFeeds: Feeds,
    slot: (index: number) => RuntimeTensor,
  ): Promise<RuntimeTensor> {
    this.embedTokens(batch.tokenIds, floatData(slot(0)));
    for (const [layer, plan] of this.layers.entries()) {
      await this.sessions.layers
        .get(plan.kind)!
        [purpose].run(
          { ...batchFeeds, ...renameInputs(plan, batchFeeds), [layerNames.hidden]: slot(layer) },
          { [layerNames.output]: slot(layer + 1) },
        );
    }
    return slot(this.layers.length);
  }

  private async runHead(batch: PackedBatch, batchFeeds: Feeds): Promise<BatchLoss> {
    const { model, trainable } = this.setup;
    const { finalNorm, head } = model.architecture.describeParameters(model.config);
    const names = listTrainable([finalNorm, head], trainable).map(({ name }) => name);
    const results = await this.sessions.head.run(
      { ...batchFeeds, [layerNames.hidden]: this.hidden.at(-1)! },
      {
        ...fetchLosses(this.setup.loss),
        [layerNames.hiddenGradient]: this.flowing[0],
        ...Object.fromEntries(names.map(name => [gradientOutput(name), this.sink.open(name)])),
      },
    );
    for (const name of names) this.sink.close(name);
    return measureLoss(results, batch, this.setup.loss);
  }

  private async runBackward(
    layer: number,
    batchFeeds: Feeds,
    read: RuntimeTensor,
    write: RuntimeTensor,
  ): Promise<void> {
    const plan = this.layers[layer]!;
    const { trainables } = plan;
    await this.sessions.layers.get(plan.kind)!.backward.run(
      {
        ...batchFeeds,
        ...renameInputs(plan, batchFeeds),
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

  private embedTokens(tokenIds: Int32Array, hidden: Float32Array): void {
    const { model, tensors } = this.setup;
    const width = model.config.hiddenSize;
    const { embedding } = model.architecture.describeParameters(model.config);
    const shards = splitTable(model, embedding);
    const shardRows = shards[0]!.shape[0]!;
    for (const [row, id] of tokenIds.entries()) {
      const { name } = shards[Math.floor(id / shardRows)]!;
      const target = hidden.subarray(row * width, (row + 1) * width);
      const blocks = tensors.embeddingBlocks.get(name);
      const from = (id % shardRows) * width;
      if (blocks) decodeBlocks(blocks, from / blocks.form.blockElements, target);
      else target.set(floatData(tensors.feeds[name]!).subarray(from, from + width));
    }
    scaleRows(hidden, model.config);
  }
}

/** The layer's tensors under the names of its kind's first. */
function renameInputs({ inputs }: LayerPlan, feeds: Feeds): Feeds {
  return Object.fromEntries(
    inputs.flatMap(({ name, slot }) => {
      const tensor = feeds[name];
      return tensor === undefined ? [] : [[slot, tensor]];
    }),
  );
}
