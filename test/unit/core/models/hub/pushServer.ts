/** A Hub on this machine that takes repositories, large files and commits, with faults that a test orders. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Upload {
  readonly authorization: string | undefined;
  readonly bytes: Buffer;
}

export class PushServer {
  readonly repositories = new Map<string, { readonly private: boolean }>();
  /** Large files by sha256. */
  readonly stored = new Map<string, Buffer>();
  readonly uploads: Upload[] = [];
  readonly commits: { key: string; value: Record<string, unknown> }[][] = [];
  /** Answers 503, or cuts the connection, so many times, by what a request is. */
  readonly faults: Record<string, { kind: 'busy' | 'cut'; left: number }> = {};
  chunkBytes: number | undefined;
  readonly token = 'hf_right';
  private readonly parts = new Map<string, Buffer>();
  private readonly hub: Server;
  private readonly storage: Server;

  constructor() {
    this.hub = createServer((request, response) => void this.answerHub(request, response));
    this.storage = createServer((request, response) => void this.store(request, response));
  }

  async start(): Promise<void> {
    for (const server of [this.hub, this.storage]) await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  }

  async stop(): Promise<void> {
    for (const server of [this.hub, this.storage]) {
      server.closeAllConnections();
      await new Promise(done => server.close(done));
    }
  }

  get endpoint(): string {
    return addressOf(this.hub);
  }

  private async answerHub(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request)).toString();
    const path = request.url ?? '';
    if (request.headers.authorization !== `Bearer ${this.token}`) return reply(response, 401, { error: 'Bad token' });
    const what = /(create|preupload|batch|complete|verify|commit)/.exec(path)?.[1] ?? '';
    if (this.fail(what, request, response)) return;
    switch (what) {
      case 'create': {
        const { organization, name, private: isPrivate } = JSON.parse(body);
        const repository = `${organization}/${name}`;
        if (this.repositories.has(repository)) return reply(response, 409, { error: 'exists' });
        this.repositories.set(repository, { private: isPrivate });
        return reply(response, 200, { url: `${this.endpoint}/${repository}` });
      }
      case 'preupload': {
        const { files } = JSON.parse(body) as { files: { path: string }[] };
        const mode = (name: string): string => (/\.(safetensors|gguf)$/.test(name) ? 'lfs' : 'regular');
        return reply(response, 200, { files: files.map(({ path: name }) => ({ path: name, uploadMode: mode(name) })) });
      }
      case 'batch': {
        const [{ oid, size }] = JSON.parse(body).objects;
        if (this.stored.has(oid)) return reply(response, 200, { objects: [{ oid, size }] });
        const href = `${addressOf(this.storage)}/${oid}`;
        const count = this.chunkBytes === undefined ? 0 : Math.ceil(size / this.chunkBytes);
        const numbers = Array.from({ length: count }, (_, i) => [String(i + 1).padStart(5, '0'), `${href}/${i + 1}`]);
        const upload =
          count === 0
            ? { href, header: { 'x-store': 'yes' } }
            : {
                href: `${this.endpoint}/complete/${oid}`,
                header: { chunk_size: String(this.chunkBytes), ...Object.fromEntries(numbers) },
              };
        return reply(response, 200, {
          objects: [{ oid, size, actions: { upload, verify: { href: `${this.endpoint}/verify` } } }],
        });
      }
      case 'complete': {
        const { oid, parts } = JSON.parse(body) as { oid: string; parts: { partNumber: number; etag: string }[] };
        const pieces = parts.map(({ partNumber, etag }) => {
          const piece = this.parts.get(`${oid}/${partNumber}`)!;
          return etag === hash(piece) ? piece : Buffer.alloc(0);
        });
        this.stored.set(oid, Buffer.concat(pieces));
        return reply(response, 200, {});
      }
      case 'verify': {
        const { oid, size } = JSON.parse(body);
        const bytes = this.stored.get(oid);
        const isWhole = bytes?.byteLength === size && hash(bytes!) === oid;
        return reply(response, isWhole ? 200 : 422, isWhole ? {} : { error: 'not whole' });
      }
      case 'commit':
        this.commits.push(body.split('\n').map(line => JSON.parse(line)));
        return reply(response, 200, { commitOid: 'abc123' });
      default:
        return reply(response, 404, { error: path });
    }
  }

  private async store(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.fail('upload', request, response)) return;
    const bytes = await readBody(request);
    this.uploads.push({ authorization: request.headers.authorization, bytes });
    const [oid = '', part] = (request.url ?? '').slice(1).split('/');
    if (part === undefined) this.stored.set(oid, bytes);
    else this.parts.set(`${oid}/${part}`, bytes);
    response.setHeader('etag', hash(bytes));
    reply(response, 200, {});
  }

  private fail(what: string, request: IncomingMessage, response: ServerResponse): boolean {
    const fault = this.faults[what];
    if (fault === undefined || fault.left === 0) return false;
    fault.left--;
    if (fault.kind === 'cut') request.socket.destroy();
    else reply(response, 503, { error: 'busy' });
    return true;
  }
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
