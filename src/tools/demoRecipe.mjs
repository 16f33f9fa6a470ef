// @ts-check
/**
 * How the demo fine-tunes the tiny model on the sample dataset: as the form suggests it. So small a model wants a much larger
 * learning rate than the default, and enough passes to learn the facts; well under a minute and a half on two cores.
 */
export const demoRecipe = /** @type {const} */ ({
  learningRate: 0.004,
  epochs: 15,
  rank: 16,
  alpha: 32,
  batchRows: 4,
  contextTokens: 128,
  evalRatio: 0.1,
});
