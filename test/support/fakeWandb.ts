/** The part of a Weights & Biases server that an upload needs: GraphQL, the stream of files, and uploads. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

export class FakeWandb {
  /** Rows of the history, at the offset where they were sent. */
  readonly history: Record<string, unknown>[] = [];
  readonly uploads = new Map<string, string>();
  readonly artifacts: string[] = [];
  readonly authorizations = new Set<string>();
  private readonly server = createServer(async (request, response) => {
    const body = await readBody(request);
    this.authorizations.add(request.headers.authorization ?? '');
    const path = request.url ?? '';
    let answer: unknown = {};
    if (path.includes('/graphql')) answer = { data: this.query(JSON.parse(body) as Query) };
    else if (path.endsWith('/file_stream')) this.stream(JSON.parse(body) as Stream);
    else if (request.method === 'PUT') this.uploads.set(path.replace('/upload/', ''), body);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });

  /** To be called inside a test. */
  static async start(): Promise<FakeWandb> {
    const fake = new FakeWandb();
    await new Promise<void>(resolve => fake.server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      fake.server.closeAllConnections();
      await new Promise<void>(resolve => fake.server.close(() => resolve()));
    });
    return fake;
  }

  get uri(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private query({ query, variables = {} }: Query): unknown {
    const name = /(?:query|mutation)\s+(\w+)/.exec(query)?.[1];
    switch (name) {
      case 'UpsertBucket': {
        const project = { id: 'p', name: variables.project, entity: { id: 'e', name: 'team' } };
        const bucket = { id: 'b', name: variables.name, displayName: '', config: '{}', historyLineCount: 0, project };
        return { upsertBucket: { bucket, inserted: true } };
      }
      case 'CreateRunFiles': {
        const files = (variables.files as string[]).map(file => ({
          name: file,
          uploadUrl: `${this.uri}/upload/${file}`,
        }));
        return { createRunFiles: { runID: 'b', uploadHeaders: [], files } };
      }
      case 'CreateArtifact': {
        const { artifactCollectionName } = variables.input as { artifactCollectionName: string };
        this.artifacts.push(artifactCollectionName);
        const artifact = {
          id: `a${this.artifacts.length}`,
          state: 'COMMITTED',
          artifactSequence: { latestArtifact: null },
        };
        return { createArtifact: { artifact } };
      }
      case 'ServerFeaturesQuery':
        return { serverInfo: { features: [] } };
      default:
        return { viewer: { id: 'u', username: 'u', entity: 'team', email: '', flags: '{}', teams: { edges: [] } } };
    }
  }

  private stream({ files }: Stream): void {
    const lines = files?.['wandb-history.jsonl'];
    for (const [i, line] of (lines?.content ?? []).entries()) {
      this.history[lines!.offset + i] = JSON.parse(line) as Record<string, unknown>;
    }
  }
}

interface Query {
  query: string;
  variables?: Record<string, unknown>;
}

interface Stream {
  files?: Record<string, { offset: number; content: string[] }>;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('utf8');
}
