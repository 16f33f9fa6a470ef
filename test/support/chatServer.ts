/** A server on 127.0.0.1 that speaks the OpenAI chat protocol and goes wrong as a test asks. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AskedChat {
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly stream?: boolean;
    readonly [name: string]: unknown;
  };
  /** The last message's text. */
  readonly question: string;
  /** Times that this question was asked, this one included. */
  readonly times: number;
}

/** True when it has answered, or cut the connection, itself. */
export type ChatFault = (asked: AskedChat, response: ServerResponse) => boolean;

export class ChatServer {
  readonly asked: AskedChat[] = [];
  fault: ChatFault = () => false;
  /** Most requests under way at once. */
  mostAtOnce = 0;
  private underWay = 0;
  private readonly server: Server;
  private readonly times = new Map<string, number>();

  private constructor() {
    this.server = createServer((request, response) => {
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.underWay);
      response.once('close', () => this.underWay--);
      void this.answer(request, response);
    });
  }

  static async start(): Promise<ChatServer> {
    const chat = new ChatServer();
    await new Promise<void>(resolve => chat.server.listen(0, '127.0.0.1', resolve));
    return chat;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  /** What it answers, unless it goes wrong. */
  static answerTo(question: string): string {
    return `answer to ${question}`;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece;
    if (request.url !== '/v1/chat/completions' || request.method !== 'POST') {
      sendError(response, 404, `no route ${request.url}`);
      return;
    }
    const body = JSON.parse(text) as AskedChat['body'];
    const question = body.messages.at(-1)!.content;
    const times = (this.times.get(question) ?? 0) + 1;
    this.times.set(question, times);
    const asked = { authorization: request.headers.authorization, body, question, times };
    this.asked.push(asked);
    if (this.fault(asked, response)) return;
    if (body.stream === true) sendStream(response, ChatServer.answerTo(question));
    else sendWhole(response, ChatServer.answerTo(question));
  }
}

export function sendWhole(response: ServerResponse, content: string, finish_reason = 'stop'): void {
  const message = { role: 'assistant', content };
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ object: 'chat.completion', choices: [{ index: 0, message, finish_reason }] }));
}

export function sendStream(response: ServerResponse, content: string, finishReason = 'stop'): void {
  startStream(response);
  sendChunk(response, { role: 'assistant', content: '' });
  const middle = Math.ceil(content.length / 2);
  for (const part of [content.slice(0, middle), content.slice(middle)]) sendChunk(response, { content: part });
  sendChunk(response, {}, finishReason);
  response.end('data: [DONE]\n\n');
}

export function startStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
}

export function sendChunk(response: ServerResponse, delta: unknown, finish_reason: string | null = null): void {
  response.write(
    `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`,
  );
}

export function sendError(
  response: ServerResponse,
  status: number,
  message: string,
  { code = null, headers = {} }: { code?: string | null; headers?: Record<string, string> } = {},
): void {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify({ error: { message, type: 'test', param: null, code } }));
}
