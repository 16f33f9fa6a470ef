// @ts-check
/** The grid that a search is compared with, over the search's own ranges, and how both came out. */

/** @typedef {{ low: number, high: number }} Range logarithmic */
/** @typedef {{ learningRate: Range, rank: Range }} Ranges */
/** @typedef {Readonly<Record<string, string | number>>} Settings texts or numbers by name, as after `--set` */
/** @typedef {{ settings: Settings, heldOutLossNats: number | null }} Tried null: it failed */

/** As a search without `--space` has them around a recipe's learning rate and the usual rank. @param {number} learningRate @returns {Ranges} */
export function rangesAround(learningRate) {
  return { learningRate: { low: learningRate / 8, high: 8 * learningRate }, rank: { low: 4, high: 64 } };
}

/** Learning rates times ranks, as square as the count allows, more rates than ranks. @param {Ranges} ranges @param {number} count @returns {Settings[]} */
export function makeGrid({ learningRate, rank }, count) {
  let ranks = Math.floor(Math.sqrt(count));
  while (count % ranks !== 0) ranks--;
  return spread(learningRate, count / ranks).flatMap(rate =>
    spread(rank, ranks).map(value => ({ learningRate: Number(rate.toPrecision(6)), rank: Math.round(value) })),
  );
}

/** Evenly on the logarithm, ends included; one alone in the middle. @param {Range} range @param {number} count */
function spread({ low, high }, count) {
  if (count === 1) return [Math.sqrt(low * high)];
  return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)));
}

/** As `--space` takes them. @param {Ranges} ranges */
export function printSpace(ranges) {
  return Object.entries(ranges).map(([name, { low, high }]) => `${name}=${low}..${high}:log`);
}

/** @param {readonly Tried[]} tried @returns {{ index: number, lossNats: number } | undefined} */
export function findLowest(tried) {
  /** @type {{ index: number, lossNats: number } | undefined} */
  let lowest;
  for (const [index, { heldOutLossNats }] of tried.entries()) {
    if (heldOutLossNats === null || (lowest !== undefined && heldOutLossNats >= lowest.lossNats)) continue;
    lowest = { index, lossNats: heldOutLossNats };
  }
  return lowest;
}

/** @param {readonly Tried[]} grid @param {readonly Tried[]} search */
export function searchTable(grid, search) {
  const lowest = { grid: findLowest(grid)?.index, search: findLowest(search)?.index };
  /** @type {(tried: Tried | undefined, isLowest: boolean) => string[]} */
  const cells = (tried, isLowest) => {
    if (tried === undefined) return ['', '', ''];
    const { settings, heldOutLossNats } = tried;
    const loss = heldOutLossNats === null ? 'failed' : `${heldOutLossNats.toFixed(4)}${isLowest ? ' (best)' : ''}`;
    return [Number(settings.learningRate).toExponential(2), String(settings.rank), loss];
  };
  return {
    header: ['Trial', 'grid: learning rate', 'rank', 'held-out loss', 'TPE: learning rate', 'rank', 'held-out loss'],
    rows: Array.from({ length: Math.max(grid.length, search.length) }, (_, i) => [
      String(i),
      ...cells(grid[i], i === lowest.grid),
      ...cells(search[i], i === lowest.search),
    ]),
  };
}
