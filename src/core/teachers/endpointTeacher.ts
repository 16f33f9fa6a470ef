/** @file An endpoint as a teacher: as many conversations under way at once as it may take; the first failure ends all. */
import type { ChatEndpoint, EndpointOutcome } from './endpoint/chatEndpoint.ts';
import type { AnswerSettings } from './endpoint/sendChat.ts';
import type { Teacher, TeacherOutcome, TeacherRequest } from './teacher.ts';

export class EndpointTeacher implements Teacher {
  private readonly endpoint: ChatEndpoint;
  private readonly settings: AnswerSettings;

  constructor(endpoint: ChatEndpoint, settings: AnswerSettings) {
    this.endpoint = endpoint;
    this.settings = settings;
  }

  get name(): string {
    return this.endpoint.name;
  }

  async answerAll({ conversations, onOutcome, signal }: TeacherRequest): Promise<void> {
    const failure = new AbortController();
    const stop = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < conversations.length) {
        const { row, messages } = conversations[next++]!;
        const outcome = await this.endpoint.ask(messages, this.settings, stop);
        onOutcome(row, toOutcome(outcome), outcome.kind === 'answer' ? outcome.seconds : undefined);
      }
    };
    const workers = Array.from({ length: Math.max(1, this.endpoint.options.parallelRequests) }, async () => {
      try {
        await work();
      } catch (error) {
        failure.abort(error);
        throw error;
      }
    });
    const ends = await Promise.allSettled(workers);
    signal?.throwIfAborted();
    if (ends.some(({ status }) => status === 'rejected')) throw failure.signal.reason;
  }

  async release(): Promise<void> {
    // Nothing is kept open between requests.
  }
}

function toOutcome(outcome: EndpointOutcome): TeacherOutcome {
  if (outcome.kind === 'refused') return outcome;
  const { text, end } = outcome.answer;
  if (text.trim() === '') return { kind: 'refused', reason: 'an empty answer' };
  return { kind: end === 'length' ? 'cut' : 'answer', text };
}
