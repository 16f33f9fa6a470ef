import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopFilter } from '../../../../src/core/infer/stopFilter.ts';

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 });

describe('StopFilter', () => {
  it('shows the text up to the first stop text, however it comes in pieces', () => {
    const stop = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 8 }), fc.array(stop, { maxLength: 3 }), (pieces, stops) => {
        const filter = new StopFilter(stops);
        let shown = '';
        let before = '';
        for (const piece of pieces) {
          if (filter.hasStopped) break;
          shown += filter.push(piece);
          before += piece;
        }
        shown += filter.end();
        const found = stops.map(text => before.indexOf(text)).filter(at => at >= 0);
        expect(shown).toBe(found.length > 0 ? before.slice(0, Math.min(...found)) : before);
      }),
    );
  });

  it('holds back what may be the beginning of a stop text, and no more', () => {
    const filter = new StopFilter(['END', 'NDX']);
    expect(filter.push('some EN')).toBe('some ');
    expect(filter.push('D of it')).toBe('');
    expect(filter.hasStopped).toBe(true);
    expect(filter.end()).toBe('');
  });
});
