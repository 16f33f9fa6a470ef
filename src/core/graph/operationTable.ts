/** @file Every operation of the graph. The contract stands at `Operation`; the table's test holds each to it. */
import { afterOperation } from './operations/after.ts';
import { attentionGradientOperation, attentionOperation } from './operations/attention.ts';
import {
  blockProductGradientOperation,
  blockProductOperation,
  gatherBlockRowsOperation,
} from './operations/blockProduct.ts';
import { expandOperation, reduceSumOperation } from './operations/broadcast.ts';
import { cachedAttentionOperation } from './operations/cachedAttention.ts';
import { crossEntropyOperation } from './operations/crossEntropy.ts';
import {
  dropoutGradientOperation,
  dropoutOperation,
  droppedProductGradientOperation,
  droppedProductOperation,
} from './operations/dropout.ts';
import {
  addOperation,
  divideOperation,
  exponentialOperation,
  logarithmOperation,
  multiplyOperation,
  negateOperation,
  sigmoidOperation,
  subtractOperation,
} from './operations/elementwise.ts';
import { gatedActivationGradientOperation, gatedActivationOperation } from './operations/gatedActivation.ts';
import { gatherRowsOperation, scatterAddRowsOperation } from './operations/gather.ts';
import { integerLinearGradientOperation, integerLinearOperation } from './operations/integerLinear.ts';
import { keepLastOperation, separateRowsOperation } from './operations/keepLast.ts';
import { addProductOperation, matmulOperation } from './operations/matmul.ts';
import { mergedLinearGradientOperation, mergedLinearOperation } from './operations/mergedLinear.ts';
import { mergedNormsOperation } from './operations/mergedNorms.ts';
import { packedLinearOperation } from './operations/packedLinear.ts';
import { packedRowsOperation } from './operations/packedRows.ts';
import { presentAttentionOperation } from './operations/presentAttention.ts';
import { reshapeOperation, transposeOperation } from './operations/reshape.ts';
import { rmsNormGradientOperation, rmsNormOperation } from './operations/rmsNorm.ts';
import { rotaryOperation } from './operations/rotary.ts';
import {
  concatenateOperation,
  padOperation,
  sliceOperation,
  splitOperation,
  takePositionsOperation,
} from './operations/slice.ts';
import { softcapGradientOperation, softcapOperation } from './operations/softcap.ts';
import { topTokensOperation } from './operations/topTokens.ts';

export const operationTable = {
  after: afterOperation,
  add: addOperation,
  subtract: subtractOperation,
  multiply: multiplyOperation,
  divide: divideOperation,
  negate: negateOperation,
  exponential: exponentialOperation,
  logarithm: logarithmOperation,
  sigmoid: sigmoidOperation,
  softcap: softcapOperation,
  softcapGradient: softcapGradientOperation,
  reshape: reshapeOperation,
  transpose: transposeOperation,
  expand: expandOperation,
  reduceSum: reduceSumOperation,
  slice: sliceOperation,
  pad: padOperation,
  concatenate: concatenateOperation,
  split: splitOperation,
  takePositions: takePositionsOperation,
  gatherRows: gatherRowsOperation,
  scatterAddRows: scatterAddRowsOperation,
  matmul: matmulOperation,
  addProduct: addProductOperation,
  dropout: dropoutOperation,
  dropoutGradient: dropoutGradientOperation,
  droppedProduct: droppedProductOperation,
  droppedProductGradient: droppedProductGradientOperation,
  mergedLinear: mergedLinearOperation,
  mergedLinearGradient: mergedLinearGradientOperation,
  blockProduct: blockProductOperation,
  blockProductGradient: blockProductGradientOperation,
  gatherBlockRows: gatherBlockRowsOperation,
  integerLinear: integerLinearOperation,
  integerLinearGradient: integerLinearGradientOperation,
  mergedNorms: mergedNormsOperation,
  rmsNorm: rmsNormOperation,
  rmsNormGradient: rmsNormGradientOperation,
  rotary: rotaryOperation,
  attention: attentionOperation,
  attentionGradient: attentionGradientOperation,
  cachedAttention: cachedAttentionOperation,
  presentAttention: presentAttentionOperation,
  keepLast: keepLastOperation,
  separateRows: separateRowsOperation,
  packedLinear: packedLinearOperation,
  packedRows: packedRowsOperation,
  gatedActivation: gatedActivationOperation,
  gatedActivationGradient: gatedActivationGradientOperation,
  crossEntropy: crossEntropyOperation,
  topTokens: topTokensOperation,
} as const;

export type OperationName = keyof typeof operationTable;
