/**
 * @file AdaLoRA (arXiv:2303.10512): adapters as B diag(E) A whose ranks are given where they matter. After each step the
 * importance of every triplet (an element of E with its row of A and column of B) is smoothed; as the budget falls, the
 * least important elements of E become zero. Follows PEFT's RankAllocator, which counts the steps after the update; here
 * the first step is 1, so that the last allocation takes place even without final steps.
 * @see https://github.com/huggingface/peft/blob/main/src/peft/tuners/adalora/layer.py
 */

import type { RankSchedule } from './rankBudget.ts';
import { fitBudget } from './rankBudget.ts';

/** One adapter's parameters with their gradients. */
export interface Triplets {
  readonly a: AllocatedParameter;
  readonly b: AllocatedParameter;
  /** [R, 1] */
  readonly e: AllocatedParameter;
}

export interface AllocatedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: Float32Array;
  readonly gradient: Float32Array;
}

export interface AllocatorSettings extends RankSchedule {
  readonly beta1: number;
  readonly beta2: number;
  /** Of the regulariser that keeps rows of A and columns of B orthogonal. */
  readonly orthogonality: number;
}

/** What an exact resume needs, filled in place. */
export interface AllocatorTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: Float32Array;
}

interface Importance {
  readonly sensitivity: Float32Array;
  readonly uncertainty: Float32Array;
}

export class RankAllocator {
  readonly tensors: readonly AllocatorTensor[];
  private readonly adapters: readonly Triplets[];
  private readonly settings: AllocatorSettings;
  private readonly importance = new Map<AllocatedParameter, Importance>();
  /** 1 for each triplet that the last allocation kept. */
  private readonly masks: readonly Float32Array[];

  constructor(adapters: readonly Triplets[], settings: AllocatorSettings) {
    this.adapters = adapters;
    this.settings = settings;
    this.masks = adapters.map(({ e }) => new Float32Array(e.value.length).fill(1));
    for (const parameter of adapters.flatMap(({ a, b, e }) => [a, b, e])) {
      const { length } = parameter.value;
      this.importance.set(parameter, { sensitivity: new Float32Array(length), uncertainty: new Float32Array(length) });
    }
    this.tensors = [
      ...[...this.importance].flatMap(([{ name, shape }, { sensitivity, uncertainty }]) => [
        { name: `${name}.sensitivity`, shape, value: sensitivity },
        { name: `${name}.uncertainty`, shape, value: uncertainty },
      ]),
      ...adapters.map(({ e }, index) => ({ name: `${e.name}.mask`, shape: e.shape, value: this.masks[index]! })),
    ];
  }

  /** Adds the gradient of orthogonality x the mean of |P P^T - I| over all A, and |P^T P - I| over all B. */
  addOrthogonality(): void {
    const weight = this.settings.orthogonality / (2 * this.adapters.length);
    if (weight === 0) return;
    for (const { a, b } of this.adapters) {
      const [rank, inner] = a.shape as [number, number];
      addOrthogonalGradient(a, weight, rank, inner, { row: inner, column: 1 });
      addOrthogonalGradient(b, weight, rank, b.shape[0]!, { row: 1, column: rank });
    }
  }

  /** After the update of `step`, from 1, whose gradients were read times `gradientFactor`. */
  allocate(step: number, gradientFactor: number): void {
    const { totalSteps, finalSteps } = this.settings;
    const lastAllocation = totalSteps - finalSteps;
    if (step < lastAllocation) this.measure(gradientFactor);
    if (step > lastAllocation) {
      this.applyMasks();
      return;
    }
    const budget = fitBudget(step, this.countRanks(), this.adapters.length, this.settings);
    if (budget !== undefined) this.maskToBudget(budget);
  }

  private countRanks(): number {
    return this.masks.reduce((sum, { length }) => sum + length, 0);
  }

  private measure(gradientFactor: number): void {
    const { beta1, beta2 } = this.settings;
    for (const [{ value, gradient }, { sensitivity, uncertainty }] of this.importance) {
      for (let i = 0; i < value.length; i++) {
        const importance = Math.abs(value[i]! * gradient[i]! * gradientFactor);
        const smoothed = Math.fround(beta1 * sensitivity[i]! + (1 - beta1) * importance);
        sensitivity[i] = smoothed;
        uncertainty[i] = beta2 * uncertainty[i]! + (1 - beta2) * Math.abs(importance - smoothed);
      }
    }
  }

  private maskToBudget(budget: number): void {
    const scores = this.adapters.map(adapter => this.score(adapter));
    const dropped = this.countRanks() - budget;
    if (dropped <= 0) return;
    const threshold = Float64Array.from(scores.flatMap(score => [...score])).sort()[dropped - 1]!;
    for (const [index, score] of scores.entries()) {
      for (const [rank, value] of score.entries()) this.masks[index]![rank] = value <= threshold ? 0 : 1;
    }
    this.applyMasks();
  }

  /** A triplet's importance: its element of E, and the means of its row of A and column of B. */
  private score({ a, b, e }: Triplets): Float64Array {
    const rank = e.value.length;
    const scores = new Float64Array(rank);
    const add = (parameter: AllocatedParameter, rankOf: (index: number) => number): void => {
      const { sensitivity, uncertainty } = this.importance.get(parameter)!;
      const share = rank / parameter.value.length;
      for (let i = 0; i < sensitivity.length; i++) scores[rankOf(i)]! += share * sensitivity[i]! * uncertainty[i]!;
    };
    const inner = a.shape[1]!;
    add(e, index => index);
    add(a, index => Math.floor(index / inner));
    add(b, index => index % rank);
    return scores;
  }

  private applyMasks(): void {
    for (const [index, { e }] of this.adapters.entries()) {
      for (const [rank, kept] of this.masks[index]!.entries()) if (kept === 0) e.value[rank] = 0;
    }
  }
}

/** With G the products of `count` vectors of `length` elements, less the unit matrix: adds weight x 2 G P / |G|. */
function addOrthogonalGradient(
  { value, gradient }: AllocatedParameter,
  weight: number,
  count: number,
  length: number,
  stride: { readonly row: number; readonly column: number },
): void {
  const products = new Float64Array(count * count);
  let squares = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? -1 : 0;
      for (let at = 0; at < length; at++) {
        sum += value[i * stride.row + at * stride.column]! * value[j * stride.row + at * stride.column]!;
      }
      products[i * count + j] = sum;
      products[j * count + i] = sum;
      squares += (i === j ? 1 : 2) * sum * sum;
    }
  }
  if (squares === 0) return;
  const factor = (2 * weight) / Math.sqrt(squares);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const product = factor * products[i * count + j]!;
      for (let at = 0; at < length; at++) {
        gradient[i * stride.row + at * stride.column]! += product * value[j * stride.row + at * stride.column]!;
      }
    }
  }
}
