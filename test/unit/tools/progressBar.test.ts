import { describe, expect, it } from 'vitest';
import { createProgressBar, formatBar } from '../../../src/tools/progressBar.mjs';

describe('formatBar', () => {
  it.each([
    [0, 10, '[----------]   0 % x'],
    [5, 10, '[#####-----]  50 % x'],
    [12, 10, '[##########] 100 % x'],
    [0, 0, '[----------]   0 % x'],
  ])('draws %i of %i', (done, total, bar) => {
    expect(formatBar(done, total, 'x', 10)).toBe(bar);
  });
});

describe('createProgressBar', () => {
  const drawHundred = (isTTY: boolean) => {
    const written: string[] = [];
    const bar = createProgressBar({ isTTY, columns: 20, write: text => written.push(text) });
    for (let i = 0; i <= 100; i++) bar.draw(i, 100, 'loss');
    bar.finish();
    return written;
  };

  it('writes one line for each tenth where there is no terminal', () => {
    expect(drawHundred(false)).toHaveLength(11);
  });

  it('redraws in place on a terminal, never wider than it, and ends with a newline', () => {
    const written = drawHundred(true);
    expect(written).toHaveLength(102);
    expect(Math.max(...written.slice(0, -1).map(text => text.replace('\r', '').replace('\x1b[K', '').length))).toBe(19);
    expect(written.at(-1)).toBe('\n');
  });
});
