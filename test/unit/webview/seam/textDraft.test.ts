import { describe, expect, it } from 'vitest';
import { createTextDraft, type DraftRules } from '../../../../webview/seam/textDraft.ts';

const wholeNumbers: DraftRules<number> = {
  print: String,
  read: text => (/^\d+$/.test(text.trim()) ? Number(text) : undefined),
  equals: (a, b) => a === b,
};

function follow() {
  const control = { value: '', focused: false, isFocused: () => control.focused };
  const draft = createTextDraft(control, wholeNumbers);
  draft.receive(16);
  const type = (text: string) => {
    control.focused = true;
    control.value = text;
    draft.typed();
  };
  const leave = () => {
    control.focused = false;
    draft.left();
  };
  return { control, draft, type, leave };
}

describe('createTextDraft', () => {
  it('shows what the host says while nobody types', () => {
    const { control, draft } = follow();
    draft.receive(8);
    expect(control.value).toBe('8');
  });

  it('keeps the text of a focused field whatever arrives', () => {
    const { control, draft, type } = follow();
    type('3');
    for (const value of [16, 3, 99]) draft.receive(value);
    expect(control.value).toBe('3');
  });

  it('keeps a number in the spelling it was typed in', () => {
    const { control, draft, type, leave } = follow();
    type(' 032');
    leave();
    draft.receive(32);
    expect(control.value).toBe(' 032');
  });

  it('keeps typed text after the field was left while older snapshots still arrive', () => {
    const { control, draft, type, leave } = follow();
    type('3');
    type('32');
    leave();
    draft.receive(16);
    draft.receive(3);
    expect(control.value).toBe('32');
    draft.receive(32);
    draft.receive(4);
    expect(control.value).toBe('4');
  });

  it('keeps text that stands for no value', () => {
    const { control, draft, type, leave } = follow();
    type('lots');
    leave();
    draft.receive(16);
    expect(control.value).toBe('lots');
  });

  it('gives way when the host changes the value for another reason', () => {
    const { control, draft, type, leave } = follow();
    type('lots');
    leave();
    draft.receive(64);
    expect(control.value).toBe('64');
  });

  it('shows a value that changed under a focused field once the field is left', () => {
    const { control, draft, leave } = follow();
    control.focused = true;
    draft.receive(64);
    expect(control.value).toBe('16');
    leave();
    expect(control.value).toBe('64');
  });

  it('takes the next value after it was told to forget', () => {
    const { control, draft, type, leave } = follow();
    type('lots');
    leave();
    draft.forget();
    draft.receive(16);
    expect(control.value).toBe('16');
  });
});
