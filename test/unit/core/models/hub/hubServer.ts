import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly host: 'hub' | 'storage';
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** What a test may want to go wrong; returns true when it has answered itself. */
export type Interference = (request: SeenRequest, response: ServerResponse) => boolean;

/**
 * A Hub on 127.0.0.1 as the real one answers: model info, small files from itself, large ones by a redirect to a second
 * address that stands for the storage of another host.
 */
export class HubServer {
  static readonly commit = 'c0ffee0123456789c0ffee0123456789c0ffee01';
  readonly seen: SeenRequest[] = [];
  readonly files = new Map<string, Buffer>();
  card: Record<string, unknown> = { license: 'apache-2.0' };
  interfere: Interference = () => false;
  private readonly hub: Server;
  private readonly storage: Server;
  private address = '';

  private constructor() {
    this.hub = createServer((request, response) => this.answer('hub', request, response));
    this.storage = createServer((request, response) => this.answer('storage', request, response));
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const each of [server.hub, server.storage]) {
      await new Promise<void>(resolve => each.listen(0, '127.0.0.1', resolve));
    }
    server.address = `http://127.0.0.1:${(server.hub.address() as AddressInfo).port}`;
    return server;
  }

  /** Stays the same when the server has stopped. */
  get endpoint(): string {
    return this.address;
  }

  async stop(): Promise<void> {
    for (const each of [this.hub, this.storage]) {
      each.closeAllConnections();
      await new Promise(resolve => each.close(resolve));
    }
  }

  private answer(host: 'hub' | 'storage', request: IncomingMessage, response: ServerResponse): void {
    const seen: SeenRequest = {
      host,
      method: request.method ?? '',
      path: decodeURIComponent(request.url ?? ''),
      authorization: request.headers.authorization,
      range: request.headers.range,
    };
    this.seen.push(seen);
    if (this.interfere(seen, response)) return;
    if (seen.path.startsWith('/api/models/org/name/revision/main')) {
      this.answerInfo(response);
      return;
    }
    const name =
      /^\/org\/name\/resolve\/[0-9a-f]{40}\/(.+)$/.exec(seen.path)?.[1] ?? seen.path.slice('/storage/'.length);
    const content = this.files.get(name);
    if (!content) {
      response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end('{"error":"Repository not found"}');
      return;
    }
    if (host === 'storage') sendRange(content, seen, response);
    else this.answerFile(name, content, seen, response);
  }

  private answerInfo(response: ServerResponse): void {
    const siblings = [...this.files.keys()].map(rfilename => ({ rfilename }));
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ id: 'org/name', sha: HubServer.commit, cardData: this.card, siblings }));
  }

  private answerFile(name: string, content: Buffer, seen: SeenRequest, response: ServerResponse): void {
    if (name.endsWith('.safetensors') || name.endsWith('.gguf')) {
      const sha256 = createHash('sha256').update(content).digest('hex');
      response
        .writeHead(302, {
          location: `http://127.0.0.1:${(this.storage.address() as AddressInfo).port}/storage/${name}`,
          'x-linked-etag': `"${sha256}"`,
          'x-linked-size': String(content.length),
          'content-length': '0',
        })
        .end();
      return;
    }
    const gitHash = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    response.writeHead(200, { etag: `"${gitHash}"`, 'content-length': String(content.length) });
    response.end(seen.method === 'HEAD' ? undefined : content);
  }
}

function sendRange(content: Buffer, seen: SeenRequest, response: ServerResponse): void {
  const start = Number(/^bytes=(\d+)-$/.exec(seen.range ?? '')?.[1] ?? -1);
  if (start < 0) {
    response.writeHead(200, { 'content-length': String(content.length) }).end(content);
    return;
  }
  const rest = content.subarray(start);
  const range = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(206, { 'content-length': String(rest.length), 'content-range': range }).end(rest);
}
