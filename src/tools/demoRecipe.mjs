// @ts-check
/**
 * How the demo fine-tunes the tiny model on the sample dataset: so small a model wants a much larger learning rate than the
 * default, and enough passes to learn the facts; well under a minute and a half on two cores.
 */
export const demoRecipe = /** @type {const} */ ({
  learningRate: 0.005,
  epochs: 14,
  rank: 16,
  alpha: 32,
  batchRows: 4,
  contextTokens: 128,
  evalRatio: 0.1,
});
