/** @file Examples of the best prompt, each a question with its answer, editable, in the order the model sees them. */
import type { BestPrompt } from '../../src/shared/inferenceProtocol.ts';
import { createIconButton, createTextInput } from '../controls/toolkit.ts';
import { h } from '../dom/element.ts';
import { drawIcon } from '../dom/icon.ts';
import { formatCount } from '../format/formatNumber.ts';

type Example = BestPrompt['examples'][number];

/** Line of an example that a person wrote: it stands in no file. */
export const ownLine = 0;

export interface ExampleList {
  readonly element: HTMLElement;
  examples: Example[];
}

export function createExampleList(events: { onChange: () => void; onLeave: () => void }): ExampleList {
  const element = h('ol', { class: 'examples' });
  let examples: Example[] = [];
  const replace = (changed: Example[]) => {
    examples = changed;
    redraw();
    events.onChange();
  };
  const redraw = () => {
    element.replaceChildren(
      ...examples.map((example, i) => {
        const place = example.line === ownLine ? 'your own' : `line ${formatCount(example.line)}`;
        const question = createPart('Question', example.question, text => edit(i, { question: text }));
        const answer = createPart('Answer', example.answer, text => edit(i, { answer: text }));
        const remove = createIconButton({
          icon: drawIcon('close'),
          label: `Remove example ${i + 1}`,
          onClick: () => replace(examples.filter((_, other) => other !== i)),
        });
        return h(
          'li',
          { class: 'example' },
          h(
            'div',
            { class: 'heading-line' },
            h('span', { class: 'muted' }, `Example ${i + 1}, ${place}`),
            remove.element,
          ),
          h('div', { class: 'example-parts' }, question, answer),
        );
      }),
    );
  };
  const edit = (at: number, part: Partial<Example>) => {
    examples = examples.map((example, i) => (i === at ? { ...example, ...part } : example));
    events.onChange();
  };
  const createPart = (label: string, text: string, onInput: (text: string) => void) => {
    const input = createTextInput({ label, rows: 3, onInput, onLeave: events.onLeave });
    input.value = text;
    return input.element;
  };
  return {
    element,
    get examples() {
      return examples;
    },
    set examples(changed) {
      examples = changed;
      redraw();
    },
  };
}
