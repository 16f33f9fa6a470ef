/** @file States of the compare panel as the host would send them. */
import type { BestPrompt } from '../../../src/shared/inferenceProtocol.ts';
import type { Answer, CompareState } from '../../../src/shared/pages.ts';

const nothing: Answer = { text: '', stats: null, running: false, error: null };

const bestPrompt: BestPrompt = {
  system: 'Answer medical questions in one or two plain sentences.',
  examples: [
    { question: 'What is gout?', answer: 'Gout is arthritis caused by crystals of uric acid in the joints.', line: 12 },
    {
      question: 'How is gout treated?',
      answer:
        'With medicine against pain and swelling, and with medicine that lowers uric acid. Drinking water, eating less red meat and avoiding alcohol also help to keep attacks away.',
      line: 13,
    },
  ],
  scores: [
    { k: 0, tokenF1: 0.182 },
    { k: 2, tokenF1: 0.311 },
    { k: 4, tokenF1: 0.297 },
    { k: 8, tokenF1: 0.254 },
  ],
  chosenK: 2,
};

const idle: CompareState = {
  model: 'HuggingFaceTB/SmolLM2-135M-Instruct',
  adapters: [
    { run: '/home/user/project/.tuning-fork/runs/20261124-093000-medical-questions-1f3a', name: 'medical-questions' },
    { run: '/home/user/project/.tuning-fork/runs/20261124-101500-rank-8-77aa', name: 'rank-8' },
  ],
  adapter: '/home/user/project/.tuning-fork/runs/20261124-093000-medical-questions-1f3a',
  loading: null,
  bestPrompt,
  searching: null,
  prompt: 'What causes anaemia?',
  settings: { maxTokens: 160, temperature: 0, seed: 42 },
  answers: { base: nothing, prompted: nothing, adapter: nothing },
  running: false,
  heldOut: {
    total: 100,
    row: {
      index: 4,
      line: 87,
      messages: [{ role: 'user', content: 'What causes anaemia?' }],
      reference: 'Anaemia is caused by too few red blood cells, or by cells that carry too little haemoglobin.',
    },
  },
  error: null,
};

const answered: CompareState = {
  ...idle,
  answers: {
    base: {
      ...nothing,
      text: 'Anaemia is a condition in which the body does not have enough healthy red blood cells. There are many types of anaemia, and each has its own cause:\n\n1. Iron deficiency\n2. Vitamin deficiency\n3. Chronic disease\n\nIt is important to see a doctor in order to find out which type of anaemia you have and',
      stats: { promptTokens: 14, outputTokens: 160, firstTokenMs: 85, tokensPerSecond: 91.4, stopReason: 'length' },
    },
    prompted: {
      ...nothing,
      text: 'Anaemia is caused by a lack of red blood cells.',
      stats: { promptTokens: 188, outputTokens: 13, firstTokenMs: 412, tokensPerSecond: 88.2, stopReason: 'end' },
    },
    adapter: {
      ...nothing,
      text: 'Anaemia is caused by too few red blood cells or too little haemoglobin.',
      stats: { promptTokens: 14, outputTokens: 17, firstTokenMs: 91, tokensPerSecond: 84.9, stopReason: 'end' },
    },
  },
};

export const compareSnapshots = {
  idle,
  loading: {
    ...idle,
    bestPrompt: null,
    heldOut: null,
    prompt: '',
    loading: { phase: 'converting weights', done: 12, total: 30 },
  },
  streaming: {
    ...idle,
    running: true,
    answers: {
      base: answered.answers.base,
      prompted: nothing,
      adapter: { ...nothing, text: 'Anaemia is caused by too', running: true },
    },
  },
  answered,
  searching: { ...idle, bestPrompt: null, searching: { done: 3, total: 64 } },
  noPrompt: { ...idle, bestPrompt: null },
  ownQuestion: { ...answered, prompt: 'What is anaemia?' },
  noAdapter: { ...idle, adapters: [], adapter: null, heldOut: null, bestPrompt: null, prompt: '' },
  failed: {
    ...answered,
    answers: {
      ...answered.answers,
      prompted: {
        ...nothing,
        error: {
          code: 'usage',
          message: 'prompt: expected at most 2,048 tokens, got 2,310',
          hint: 'Remove an example or shorten the system text.',
        },
      },
      adapter: {
        ...nothing,
        stats: { promptTokens: 14, outputTokens: 0, firstTokenMs: 91, tokensPerSecond: 0, stopReason: 'cancelled' },
      },
    },
    error: {
      code: 'process-ended',
      message: 'inference process: expected an answer, got exit code 1',
      hint: 'It is started again with the next question.',
    },
  },
  longWords: {
    ...answered,
    model:
      '/home/user/models/a-very-long-folder-name/another-very-long-folder-name/SmolLM2-135M-Instruct-fine-tuned-before.Q4_1.gguf',
    adapters: [
      { run: idle.adapter!, name: 'customer-support-conversations-2025-cleaned-final-v3-with-a-longer-context' },
    ],
    answers: {
      ...answered.answers,
      base: { ...answered.answers.base, text: `https://example.org/${'abcdefghij'.repeat(30)}` },
    },
  },
} satisfies Record<string, CompareState>;
