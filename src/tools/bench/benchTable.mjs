// @ts-check
/** Tables for a terminal and for a page, and how their numbers are written. */

/** Columns for a terminal. @param {{ header: readonly string[], rows: readonly (readonly string[])[] }} table */
export function formatColumns({ header, rows }) {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)));
  return lines
    .map(line =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

/** @param {{ header: readonly string[], rows: readonly (readonly string[])[] }} table */
export function formatMarkdown({ header, rows }) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  const rule = header.map((_, column) => (column === 0 ? '---' : '---:'));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

/** @param {number} value */
export function formatNumber(value) {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

/** @param {number | undefined} ratio @param {number} decimals */
export function formatRatio(ratio, decimals = 2) {
  return ratio === undefined ? '' : `${ratio.toFixed(decimals)} x`;
}

/** @param {number | null} bytes */
export function formatMegabytes(bytes) {
  return bytes === null ? '' : (bytes / 1e6).toFixed(0);
}
