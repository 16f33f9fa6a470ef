/**
 * @file Where a run's gradients go: straight into a parameter's own array the first time after zeroing, into a spare
 * tensor to be added afterwards. Nothing is copied when a step is one micro-batch.
 */
import { floatData, makeTensor, type RuntimeTensor } from '../runtime/tensor.ts';
import { countElements } from './engineTensors.ts';
import type { TrainableParameter } from './trainingEngine.ts';

export class GradientSink {
  private readonly own = new Map<string, RuntimeTensor>();
  private readonly spare = new Map<string, RuntimeTensor>();
  private readonly written = new Set<string>();
  private readonly parameters: ReadonlyMap<string, TrainableParameter>;

  constructor(parameters: readonly TrainableParameter[]) {
    this.parameters = new Map(parameters.map(parameter => [parameter.name, parameter]));
    for (const { name, gradient, shape } of parameters) this.own.set(name, makeTensor('float32', gradient, shape));
  }

  zero(): void {
    for (const { gradient } of this.parameters.values()) gradient.fill(0);
    this.written.clear();
  }

  /**
   * The tensor into which a run should write the gradient of parameter `name`.
   * @param slot parameters of one slot share a spare tensor; they must not be in flight together
   */
  open(name: string, slot = name): RuntimeTensor {
    if (!this.written.has(name)) return this.own.get(name)!;
    const { shape } = this.parameters.get(name)!;
    const spare = this.spare.get(slot) ?? makeTensor('float32', new Float32Array(countElements(shape)), shape);
    this.spare.set(slot, spare);
    return spare;
  }

  /** Takes the gradient that a run wrote into the tensor from `open`. */
  close(name: string, slot = name): void {
    if (!this.written.has(name)) {
      this.written.add(name);
      return;
    }
    const sum = this.parameters.get(name)!.gradient;
    const added = floatData(this.spare.get(slot)!);
    for (let i = 0; i < sum.length; i++) sum[i]! += added[i]!;
  }

  /** Adds rows of width `width` where `rowIds` says: an embedding's gradient. In order, so that it always rounds alike. */
  addRows(name: string, rows: Float32Array, rowIds: Int32Array, width: number): void {
    this.written.add(name);
    const sum = this.parameters.get(name)!.gradient;
    for (const [row, id] of rowIds.entries()) {
      const from = row * width;
      const to = id * width;
      for (let i = 0; i < width; i++) sum[to + i]! += rows[from + i]!;
    }
  }
}
