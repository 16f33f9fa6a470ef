/** The part of MLflow's REST API that a tracker uses, over HTTP, with faults on demand. Its store keeps duplicates, as file stores do. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export interface ReceivedMetric {
  key: string;
  value: number | string;
  timestamp: number;
  step: number;
}

const pageSize = 100;

/** `error`: 500 and nothing is kept. `errorAfter`: kept, then 500. `cut`: kept, then the connection breaks. */
export type Fault = 'error' | 'errorAfter' | 'cut' | 'refuse' | { slowMs: number };

interface Answer {
  status: number;
  body: unknown;
}

export class FakeMlflow {
  readonly metrics: ReceivedMetric[] = [];
  readonly params = new Map<string, unknown>();
  readonly tags = new Map<string, string>();
  readonly files = new Map<string, number>();
  readonly authorizations = new Set<string>();
  readonly largestBatch = { metrics: 0, params: 0 };
  runsCreated = 0;
  status = '';
  /** Taken in order, one a request that writes. */
  faults: Fault[] = [];
  private readonly server = createServer((request, response) => void this.answer(request, response));

  /** To be called inside a test. */
  static async start(port = 0): Promise<FakeMlflow> {
    const fake = new FakeMlflow();
    await fake.listen(port);
    onTestFinished(() => fake.stop());
    return fake;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>(resolve => this.server.listen(port, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get uri(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>(resolve => this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.authorizations.add(request.headers.authorization ?? '');
    const fault = request.method === 'GET' ? undefined : this.faults.shift();
    if (typeof fault === 'object') await sleep(fault.slowMs);
    const url = new URL(request.url ?? '', 'http://server');
    const isKept = fault !== 'error' && fault !== 'refuse';
    const { status, body } = isKept
      ? this.act(request.method ?? '', url, Buffer.concat(chunks))
      : { status: 0, body: {} };
    if (fault === 'cut') return void request.socket.destroy();
    const isFault = typeof fault === 'string';
    response.writeHead(fault === 'refuse' ? 401 : isFault ? 500 : status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isFault ? { message: 'no' } : body));
  }

  private act(method: string, url: URL, body: Buffer): Answer {
    const path = url.pathname.replace('/api/2.0/mlflow/', '');
    if (method === 'PUT') {
      this.files.set(decodeURIComponent(url.pathname.split('/artifacts/').slice(1).join('/artifacts/')), body.length);
      return ok({});
    }
    if (path === 'experiments/get-by-name') {
      return { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'none' } };
    }
    if (path === 'experiments/create') return ok({ experiment_id: '7' });
    if (path === 'metrics/get-history') {
      const all = this.metrics.filter(metric => metric.key === url.searchParams.get('metric_key'));
      const from = Number(url.searchParams.get('page_token') ?? 0);
      const page = all.slice(from, from + pageSize);
      return ok({
        metrics: page,
        ...(from + pageSize < all.length ? { next_page_token: String(from + pageSize) } : {}),
      });
    }
    if (path === 'runs/get') return ok(this.run());
    const asked = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    return this.write(path, asked);
  }

  private write(path: string, asked: Record<string, unknown>): Answer {
    if (path === 'runs/search') return ok(this.runsCreated > 0 ? { runs: [this.run().run] } : {});
    if (path === 'runs/create') {
      this.runsCreated++;
      this.status = 'RUNNING';
      return ok(this.run());
    }
    if (path === 'runs/update') {
      this.status = String(asked.status);
      return ok({});
    }
    const {
      metrics = [],
      params = [],
      tags = [],
    } = asked as {
      metrics?: ReceivedMetric[];
      params?: { key: string; value: unknown }[];
      tags?: { key: string; value: string }[];
    };
    this.largestBatch.metrics = Math.max(this.largestBatch.metrics, metrics.length);
    this.largestBatch.params = Math.max(this.largestBatch.params, params.length);
    this.metrics.push(...metrics);
    for (const { key, value } of params) this.params.set(key, value);
    for (const { key, value } of tags) this.tags.set(key, value);
    return ok({});
  }

  private run() {
    return { run: { info: { run_id: 'r1', artifact_uri: 'mlflow-artifacts:/7/r1/artifacts' } } };
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}
