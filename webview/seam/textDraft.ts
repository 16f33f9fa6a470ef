/**
 * @file What a person is typing against what the host says: a snapshot never takes typed text away, neither from the
 * focused field nor while an answer to what was typed is still on its way.
 */

export interface TextControl {
  value: string;
  /** Whether the person is in it now. */
  isFocused(): boolean;
}

export interface TextDraft<Value> {
  /** The person typed; the caller sends it. */
  typed(): void;
  /** The person left the field. */
  left(): void;
  /** The host's value arrived. */
  receive(value: Value): void;
  /** Takes the host's next value whatever was typed, as after "reset". */
  forget(): void;
}

export interface DraftRules<Value> {
  /** The text that stands for a value. */
  print(value: Value): string;
  /** The value that a text stands for, or undefined when it stands for none. */
  read(text: string): Value | undefined;
  equals(a: Value, b: Value): boolean;
}

/** Follows one control. */
export function createTextDraft<Value>(control: TextControl, rules: DraftRules<Value>): TextDraft<Value> {
  let known: Value | undefined;
  /** While an answer is awaited, the values that are no news: the one before the typing, then each one typed. */
  let expected: Value[] | null = null;
  /** The host changed the value under the person's hands: shown when they leave. */
  let isStale = false;

  const show = (value: Value) => {
    expected = null;
    isStale = false;
    const text = rules.print(value);
    if (control.value !== text) control.value = text;
  };

  return {
    typed() {
      isStale = false;
      expected ??= known === undefined ? [] : [known];
      const value = rules.read(control.value);
      if (value !== undefined) expected.push(value);
    },
    left() {
      if (isStale && known !== undefined) show(known);
    },
    receive(value) {
      // What was typed before the first value arrived was typed over that value.
      if (known === undefined) expected?.push(value);
      known = value;
      const shown = rules.read(control.value);
      if (shown !== undefined && rules.equals(shown, value)) {
        expected = null;
        isStale = false;
      } else if (expected?.some(one => rules.equals(one, value))) {
        return;
      } else if (control.isFocused()) {
        isStale = true;
      } else {
        show(value);
      }
    },
    forget() {
      expected = null;
    },
  };
}

/** Rules for plain text. */
export const plainText: DraftRules<string> = {
  print: value => value,
  read: text => text,
  equals: (a, b) => a === b,
};
