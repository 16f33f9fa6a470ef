/** What stages forgot -> lines of text: a row a stage, a column a held-out set. */
import type { ForgettingCell, ForgettingTable } from '../shared/pipeline.ts';

export function formatForgetting({ sets, rows }: ForgettingTable): string {
  const head = ['after \\ held-out rows of', ...sets];
  const lines = rows.map(({ stage, cells }) => [stage, ...cells.map(formatCell)]);
  const widths = head.map((title, column) =>
    Math.max(...[head, ...lines].map(line => line[column]!.length), title.length),
  );
  return [head, ...lines]
    .map(line =>
      line
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatCell(cell: ForgettingCell | null): string {
  if (cell === null) return '';
  const { lossNats, changeNats } = cell;
  if (changeNats === null) return lossNats.toFixed(4);
  return `${lossNats.toFixed(4)} (${changeNats < 0 ? '' : '+'}${changeNats.toFixed(4)})`;
}
