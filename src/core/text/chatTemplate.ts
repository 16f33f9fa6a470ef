/**
 * @file A conversation -> its text with the exact spans that the assistant says, for training, and the prompt that ends
 * where the assistant begins, for generation. A model's own template is used as it is; a model without one gets ChatML
 * when its end token is ChatML's, otherwise plain questions and answers (see defaultTemplates.ts).
 */
import { TuneError } from '../../shared/errors.ts';
import type { Message, Origin } from '../data/example.ts';
import type { TokenizerConfig } from '../formats/tokenizerFiles.ts';
import { createSpanFinder, type SpanFinder } from './assistantSpans.ts';
import {
  type CompiledTemplate,
  compileTemplate,
  noncharacters,
  type Span,
  TemplateRefusal,
} from './compileTemplate.ts';
import { chatMlTemplate, plainTemplate } from './defaultTemplates.ts';

export type TemplateSource = 'model' | 'chatml' | 'plain';

export interface RenderedChat {
  readonly text: string;
  /** In order, without overlap: from where generation starts to behind the end-of-turn token. */
  readonly assistant: readonly Span[];
}

export interface ChatTemplateOptions {
  readonly config: TokenizerConfig;
  /** Texts of the tokenizer's special tokens: one of them behind an answer is its end-of-turn token. */
  readonly specialTokens: readonly string[];
  /** What `strftime_now` says in templates that write the date. Default: the one in Llama 3's own templates. */
  readonly date?: Date | undefined;
}

export interface ChatTemplate {
  readonly source: TemplateSource;
  /** For people: what is used when the model has no template of its own; null for the model's. */
  readonly note: string | null;
  /** The Jinja source, as it belongs beside an adapter. */
  readonly text: string;
  readonly hasGenerationTags: boolean;
  /** @throws TuneError `dataset-invalid` with file and line when the template refuses the conversation. */
  render(messages: readonly Message[], origin?: Origin): RenderedChat;
  /** The text up to where the assistant begins. */
  renderPrompt(messages: readonly Message[], origin?: Origin): string;
}

const defaultDate = new Date('2024-07-26T00:00:00Z');

const notes: Record<TemplateSource, string | null> = {
  model: null,
  chatml: 'The model has no chat template. Its end token is that of ChatML, so ChatML is used.',
  plain:
    'The model has no chat template. Conversations are written as plain text ("Question: ... Answer: ...") and end with its end token.',
};

export function createChatTemplate({ config, specialTokens, date = defaultDate }: ChatTemplateOptions): ChatTemplate {
  const [source, text] = chooseTemplate(config);
  const compiled = compileTemplate(text, templateVariables(config), date);
  const finder = createSpanFinder(compiled, specialTokens);
  return {
    source,
    note: notes[source],
    text,
    hasGenerationTags: compiled.hasGenerationTags,
    render: (messages, origin) => guard(messages, origin, () => renderChat(compiled, finder, messages)),
    renderPrompt: (messages, origin) => guard(messages, origin, () => finder.renderPrompt(messages)),
  };
}

function chooseTemplate(config: TokenizerConfig): [TemplateSource, string] {
  if (config.chat_template !== undefined && config.chat_template.trim() !== '') return ['model', config.chat_template];
  return config.eos_token === '<|im_end|>' ? ['chatml', chatMlTemplate] : ['plain', plainTemplate];
}

/** Tokens that a model lacks stay undefined, as in transformers. */
function templateVariables(config: TokenizerConfig): Record<string, string> {
  const { bos_token, eos_token, pad_token, unk_token } = config;
  return Object.fromEntries(
    Object.entries({ bos_token, eos_token, pad_token, unk_token }).filter((entry): entry is [string, string] => {
      return entry[1] !== undefined;
    }),
  );
}

function renderChat(compiled: CompiledTemplate, finder: SpanFinder, messages: readonly Message[]): RenderedChat {
  if (!compiled.hasGenerationTags) return finder.findSpans(messages);
  const { text, generated } = compiled.render(messages, false);
  return { text, assistant: generated.filter(span => span.end > span.start) };
}

/** Names the row in whatever the template has against it. */
function guard<T>(messages: readonly Message[], origin: Origin | undefined, render: () => T): T {
  const where = origin ? `${origin.file}:${origin.line}` : 'conversation';
  if (messages.length === 0) {
    throw new TuneError('dataset-invalid', `${where}: expected at least one message, got none`, { ...origin });
  }
  if (messages.some(message => noncharacters.test(message.content))) {
    throw new TuneError('dataset-invalid', `${where}: expected text, got a Unicode noncharacter (U+FDD0 to U+FDEF)`, {
      ...origin,
      hint: 'Such characters come from damaged files: remove them from the row.',
    });
  }
  try {
    return render();
  } catch (error) {
    if (error instanceof TemplateRefusal) {
      const roles = messages.map(message => message.role).join(', ');
      throw new TuneError(
        'dataset-invalid',
        `${where}: expected a conversation that the model's chat template accepts, got roles ${roles} (the template says: ${error.message})`,
        { ...origin, hint: refusalHint(messages), cause: error },
      );
    }
    if (error instanceof TuneError && error.line === undefined && origin) {
      throw new TuneError(error.code, `${where}: ${error.message}`, { ...origin, hint: error.hint, cause: error });
    }
    throw error;
  }
}

function refusalHint(messages: readonly Message[]): string {
  const withoutSystem = messages.filter(message => message.role !== 'system');
  if (withoutSystem.some((message, i) => message.role !== (i % 2 === 0 ? 'user' : 'assistant'))) {
    return 'Let the conversation start with the user and alternate between user and assistant; join neighbouring messages of one role.';
  }
  if (withoutSystem.length < messages.length) {
    return 'This model takes no system message: remove it or put its text at the start of the first user message.';
  }
  return 'Change the row or leave it out.';
}
