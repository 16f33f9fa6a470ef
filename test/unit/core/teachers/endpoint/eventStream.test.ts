import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEventStream } from '../../../../../src/core/teachers/endpoint/eventStream.ts';

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function readAll(text: string, size = 1000): Promise<string[]> {
  const events: string[] = [];
  for await (const data of readEventStream(inPieces(new TextEncoder().encode(text), size))) events.push(data);
  return events;
}

describe('readEventStream', () => {
  it('gives the data of whole events, whatever the line ends, comments and other fields', async () => {
    const text = ': hello\n\ndata: a\n\nevent: x\r\ndata:b\r\ndata:  c\r\n\r\nid: 1\rdata: d\r\rdata: torn\n';
    expect(await readAll(text)).toEqual(['a', 'b\n c', 'd']);
  });

  it('gives the same however the bytes are cut', async () => {
    const line = fc.string({ unit: 'binary', maxLength: 8 }).filter(text => !/[\r\n]/.test(text));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 6 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        async (events, size, end) => {
          const clean = events.map(event => new TextDecoder().decode(new TextEncoder().encode(event)));
          const text = clean.map(event => `data: ${event}${end}${end}`).join('');
          // A carriage return at the very end may still be half of a line's end.
          expect(await readAll(end === '\r' ? `${text}:\n` : text, size)).toEqual(clean);
        },
      ),
    );
  });
});
