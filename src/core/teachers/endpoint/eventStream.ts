/**
 * @file Bytes of a text/event-stream -> the data of its events. Lines end with CR, LF or both; data lines of one event are
 * joined; comments and other fields are passed over. A last event without its empty line was cut off and is not told.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */

/** More than any chunk of an answer holds: an endpoint is not trusted to end its lines. */
const maxEventCharacters = 4 * 1024 * 1024;

export async function* readEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    if (rest.length > maxEventCharacters) throw new Error(`an event of more than ${maxEventCharacters} characters`);
    // A carriage return at the end may be the first half of a line's end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield data.join('\n');
        data = [];
      } else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
  }
}
