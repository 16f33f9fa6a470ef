/** @file A response -> a stream of server-sent events. A client that does not read is not waited for without end. */
import type { ServerResponse } from 'node:http';

/** How long the client may leave what was sent unread. */
const stalledMs = 60_000;

export class EventWriter {
  private readonly response: ServerResponse;
  private timer: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse) {
    this.response = response;
    response.on('drain', () => this.stopTimer());
    response.on('close', () => this.stopTimer());
  }

  /** The headers go out with the first event: until then an error can still say its status. */
  send(data: object | '[DONE]'): void {
    const { response } = this;
    if (response.destroyed || response.writableEnded) return;
    if (!response.headersSent) {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
    }
    const hasRoom = response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    if (!hasRoom) this.timer ??= setTimeout(() => response.destroy(), stalledMs).unref();
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
