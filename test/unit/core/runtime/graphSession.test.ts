import { describe, expect, it } from 'vitest';
import { GraphSession } from '../../../../src/core/runtime/graphSession.ts';
import { makeTensor } from '../../../../src/core/runtime/tensor.ts';

const scalar = { elementType: 'float32', shape: ['N'] } as const;
const doubler = {
  nodes: [{ type: 'Add', domain: '', inputs: ['x', 'x'], outputs: ['y'], attributes: {} }],
  initializers: [],
  inputs: [{ name: 'x', ...scalar }],
  outputs: [{ name: 'y', ...scalar }],
} as const;

describe('GraphSession', () => {
  it('writes an output into the array it is given', async () => {
    const session = await GraphSession.create(doubler, { threads: 1 });
    const target = new Float32Array(2);
    const feeds = { x: makeTensor('float32', Float32Array.of(1.5, -3), [2]) };
    await session.run(feeds, { y: makeTensor('float32', target, [2]) });
    expect([...target]).toEqual([3, -6]);
    await session.release();
  });

  it('reads the array as it is at each run, and leaves feeds alone that are not its own', async () => {
    const session = await GraphSession.create(doubler, { threads: 1 });
    const data = Float32Array.of(1);
    const feeds = { x: makeTensor('float32', data, [1]), other: makeTensor('float32', data, [1]) };
    await session.run(feeds);
    data[0] = 7;
    expect((await session.run(feeds)).y!.data[0]).toBe(14);
    await session.release();
  });

  it('names an input that is missing', async () => {
    const session = await GraphSession.create(doubler, { threads: 1 });
    await expect(session.run({})).rejects.toThrow(/input x, got none/);
    await session.release();
  });

  it('reports what the library refuses as an engine error', async () => {
    const broken = { ...doubler, nodes: [{ ...doubler.nodes[0], type: 'NoSuchOperator' }] };
    await expect(GraphSession.create(broken)).rejects.toMatchObject({ name: 'TuneError', code: 'engine' });
  });
});
