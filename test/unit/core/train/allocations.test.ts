import { describe, expect, it } from 'vitest';
import type { Value } from '../../../../src/core/graph/graph.ts';
import { symbolsOf } from '../../../../src/core/graph/shape.ts';
import { buildHeadGraph, buildLayerBackward, buildLayerForward } from '../../../../src/core/models/layerGraphs.ts';
import { listWeightTensors } from '../../../../src/core/models/parameterTensors.ts';
import { chooseBlockTokens } from '../../../../src/core/models/trainingContext.ts';
import { buildTrainingGraph, type TrainingGraph } from '../../../../src/core/models/trainingGraph.ts';
import { countWeightBytes, formOf } from '../../../../src/core/models/weightForm.ts';
import { holdWeights } from '../../../../src/core/train/holdWeights.ts';
import { bigModels, makeBigModel, RandomBlocks } from '../../../bench/bigModels.ts';
import { allLinears } from './tinyEngine.ts';

/** Hosts such as Electron end a process over one allocation of this size. */
const limitBytes = 512 * 1024 * 1024;
const shape = { batchRows: 1, contextTokens: 512 };
const longContext = 8192;
const purposes = ['training', 'evaluation'] as const;
const lora = { method: 'lora', targetModules: allLinears } as const;

function countBytes({ shape: dims, dtype }: Value, tokens: number): number {
  const size = (dim: number | string): number => (symbolsOf(dim).length === 0 ? Number(dim) : tokens);
  return dims.reduce<number>((product, dim) => product * size(dim), dtype === 'float64' || dtype === 'int64' ? 8 : 4);
}

function findLargest({ graph }: TrainingGraph, tokens = shape.contextTokens): number {
  const values = [...graph.inputs.values(), ...graph.nodes.flatMap(node => node.outputs)];
  return Math.max(...values.map(value => countBytes(value, tokens)));
}

describe.each(Object.keys(bigModels))('a model of the dimensions of %s', name => {
  const stored = new RandomBlocks(makeBigModel(name));
  const { model } = holdWeights(makeBigModel(name), stored, lora, '4bit');
  const { layers } = model.architecture.describeParameters(model.config);
  const linear = layers.flat().filter(({ kind }) => kind === 'linear');
  const targets = new Set(linear.map(weight => weight.name));
  const spec = { method: 'lora', rank: 16, scale: 2, mergesWeights: false, targets, whole: new Set<string>() } as const;
  /** As the engine that computes layer by layer trains. */
  const merging = { ...spec, mergesWeights: true };

  it('is read in pieces below 512 MB, whatever form it lies in', () => {
    for (const held of [model, makeBigModel(name)]) {
      for (const tensor of listWeightTensors(held)) {
        const { name: parameter } = tensor.shard?.of ?? tensor;
        const [out] = tensor.shape;
        expect(countWeightBytes(tensor, formOf(held, tensor))).toBeLessThan(limitBytes);
        const stored4 = (stored.info(parameter).storedBytes / stored.info(parameter).shape[0]!) * out!;
        expect(stored4).toBeLessThan(limitBytes);
      }
    }
  });

  it('becomes floats for a product in pieces below 512 MB', () => {
    for (const tensor of listWeightTensors(model)) {
      expect(4 * tensor.shape.reduce((product, dim) => product * dim, 1)).toBeLessThan(limitBytes);
    }
  });

  it('computes with no tensor of 512 MB at context 512, in one graph or layer by layer', () => {
    const graphs = [
      ...purposes.flatMap(purpose => [
        buildTrainingGraph(model, shape, spec, purpose),
        buildLayerForward(model, shape, merging, 0, purpose),
        buildHeadGraph(model, shape, merging, purpose),
      ]),
      buildLayerBackward(model, shape, merging, 0),
    ];
    for (const graph of graphs) expect(findLargest(graph)).toBeLessThan(limitBytes);
  });

  it(`computes layer by layer with no tensor of 512 MB at context ${longContext}, nor scores of a block of queries`, () => {
    const long = { batchRows: 1, contextTokens: longContext };
    const graphs = [
      ...purposes.flatMap(purpose => [
        buildLayerForward(model, long, merging, 0, purpose),
        buildHeadGraph(model, long, merging, purpose),
      ]),
      buildLayerBackward(model, long, merging, 0),
    ];
    for (const graph of graphs) expect(findLargest(graph, longContext)).toBeLessThan(limitBytes);
    const scores = 4 * model.config.heads * chooseBlockTokens(longContext) * longContext;
    expect(scores).toBeLessThan(limitBytes);
  });
});
