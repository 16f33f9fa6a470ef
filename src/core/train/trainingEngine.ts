/** @file What the training loop asks of an engine: the border between the loop and the graphs. */
import type { Measures } from '../../shared/runFolder.ts';
import type { Model } from '../models/findArchitecture.ts';
import type { RuntimeTensor } from '../runtime/tensor.ts';
import type { PackedBatch } from '../text/packedBatch.ts';
import type { RandomDraw } from './dropoutMasks.ts';

/** A tensor that is trained. One array a tensor: no single allocation grows with the model. */
export interface TrainableParameter {
  /** As PEFT or Hugging Face names it, for example `model.layers.0.self_attn.q_proj.lora_A.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Updated in place by the optimizer. */
  readonly value: Float32Array;
  /** Summed over the micro-batches of a step by `accumulate`. */
  readonly gradient: Float32Array;
  /** False for biases and norms, which weight decay leaves alone. */
  readonly decays: boolean;
  /** Its learning rate is the step's times this, 1 by default. */
  readonly learningRateFactor?: number | undefined;
}

export interface BatchLoss {
  /** Sum over the batch's labels of weight x loss; in preference tuning over its pairs. */
  readonly lossNatsSum: number;
  /** Sum of the label weights, or number of pairs. */
  readonly weightSum: number;
  /** Sums of what else the objective measures, to be divided by `weightSum`. */
  readonly measures?: Measures;
  /** Of preference batches: each pair's log-probability of the chosen and of the rejected answer, [Q, 2]. */
  readonly pairLogProbabilities?: Float64Array;
}

export interface TrainingEngine {
  readonly parameters: readonly TrainableParameter[];
  /** The model's weights by graph input name, for answers from the model in training; absent where there is no real model. */
  readonly weights?: Readonly<Record<string, RuntimeTensor>> | undefined;
  /** With the forms in which `weights` lie. */
  readonly model?: Model | undefined;
  zeroGradients(): void;
  /**
   * Runs forward and backward and adds `tokenWeight` x d(lossNatsSum) to every gradient.
   * @param draw decides the dropout masks, where there is dropout; default the first micro-batch of step 1
   */
  accumulate(batch: PackedBatch, tokenWeight: number, draw?: RandomDraw): Promise<BatchLoss>;
  /** Forward only; never holds the logits of more than one chunk of labels. */
  evaluate(batch: PackedBatch): Promise<BatchLoss>;
  dispose(): Promise<void>;
}
