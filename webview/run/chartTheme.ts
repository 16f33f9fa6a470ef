/** @file The colours of the charts, read from the theme that VS Code has put on the document. */

export interface ChartColours {
  text: string;
  grid: string;
  raw: string;
  smoothed: string;
  heldOut: string;
  best: string;
  font: string;
}

export function readChartColours(): ChartColours {
  const style = getComputedStyle(document.body);
  const read = (name: string, fallback: string) => style.getPropertyValue(`--vscode-${name}`).trim() || fallback;
  const blue = read('charts-blue', '#3794ff');
  const text = read('charts-foreground', read('foreground', '#cccccc'));
  return {
    text,
    grid: fade(text, 0.14),
    raw: fade(blue, 0.5),
    smoothed: blue,
    heldOut: read('charts-orange', '#d18616'),
    best: read('charts-green', '#89d185'),
    font: `11px ${read('font-family', 'sans-serif')}`,
  };
}

/** The colour at a share of its strength. */
function fade(colour: string, share: number): string {
  return `color-mix(in srgb, ${colour} ${share * 100}%, transparent)`;
}

/** Calls back whenever VS Code has put another theme on the document. */
export function onThemeChange(redraw: () => void): void {
  const observer = new MutationObserver(redraw);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-kind'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}
