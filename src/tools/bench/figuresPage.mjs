// @ts-check
/** The block of figures in test/bench/README.md. */

const blockStart = '<!-- figures: written by npm run bench -- --write -->';
const blockEnd = '<!-- end of figures -->';

/** The page with its block of figures replaced. @param {string} page @param {string} figures @throws when it has no block */
export function replaceFigures(page, figures) {
  const start = page.indexOf(blockStart);
  const end = page.indexOf(blockEnd, start);
  if (start < 0 || end < 0)
    throw new Error(`expected "${blockStart}" and "${blockEnd}" in the page, got neither or one`);
  return `${page.slice(0, start + blockStart.length)}\n${figures}\n${page.slice(end)}`;
}
