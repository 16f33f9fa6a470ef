// @ts-check
/** A bar for people: redrawn in place on a terminal, a line now and then elsewhere. */

/**
 * "[######------]  50 % text", always as wide for the same width.
 * @param {number} done
 * @param {number} total
 * @param {string} text
 */
export function formatBar(done, total, text, width = 30) {
  const ratio = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const filled = Math.round(ratio * width);
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${String(Math.floor(ratio * 100)).padStart(3)} % ${text}`;
}

/**
 * Gives `draw` and `finish`. Without a terminal a line is written at each tenth only.
 * @param {{ isTTY?: boolean | undefined, columns?: number | undefined, write: (text: string) => unknown }} stream
 */
export function createProgressBar(stream) {
  let lastTenth = -1;
  let lastLine = '';
  return {
    /** @param {number} done @param {number} total @param {string} text */
    draw(done, total, text) {
      const line = formatBar(done, total, text);
      const tenth = total > 0 ? Math.floor((done / total) * 10) : 0;
      if (stream.isTTY) stream.write(`\r${line.slice(0, (stream.columns ?? 80) - 1)}\x1b[K`);
      else if (tenth > lastTenth) stream.write(`${line}\n`);
      lastTenth = Math.max(lastTenth, tenth);
      lastLine = line;
    },
    finish() {
      if (stream.isTTY && lastLine) stream.write('\n');
    },
  };
}
