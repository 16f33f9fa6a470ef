/**
 * @file The only module that knows @vscode/webview-ui-toolkit (archived upstream): registers its components and makes
 * them by typed calls, mending what they leave open: a name and a description for each input, tied across shadow roots.
 */
import '../seam/styleNonce.ts';
import {
  type Button,
  type Checkbox,
  type Dropdown,
  type Option,
  type Panels,
  type PanelTab,
  type PanelView,
  type ProgressRing,
  provideVSCodeDesignSystem,
  TextArea,
  type TextField,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodePanels,
  vsCodePanelTab,
  vsCodePanelView,
  vsCodeProgressRing,
  vsCodeTextArea,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';

provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodePanels(),
  vsCodePanelTab(),
  vsCodePanelView(),
  vsCodeProgressRing(),
  vsCodeTextArea(),
  vsCodeTextField(),
);

type Elements = {
  'vscode-button': Button;
  'vscode-checkbox': Checkbox;
  'vscode-dropdown': Dropdown;
  'vscode-option': Option;
  'vscode-panels': Panels;
  'vscode-panel-tab': PanelTab;
  'vscode-panel-view': PanelView;
  'vscode-progress-ring': ProgressRing;
  'vscode-text-area': TextArea;
  'vscode-text-field': TextField;
};
const create = <Tag extends keyof Elements>(tag: Tag) => document.createElement(tag) as unknown as Elements[Tag];

/** An input of any kind, as the fields around it need it. */
export interface InputControl {
  readonly element: HTMLElement;
  value: string;
  isFocused(): boolean;
  setDisabled(disabled: boolean): void;
  /** Says whether the value is refused, and which elements (in the page) describe it to a screen reader. */
  describe(invalid: boolean, descriptions: readonly HTMLElement[]): void;
}

export interface ButtonOptions {
  label: string;
  appearance?: 'primary' | 'secondary';
  onClick: () => void;
}
export interface ButtonControl {
  readonly element: HTMLElement;
  setLabel(label: string): void;
  setDisabled(disabled: boolean): void;
  /** Elements of the page that say more about the button; to be called once it stands in the page. */
  describe(descriptions: readonly HTMLElement[]): void;
}

export function createButton(options: ButtonOptions): ButtonControl {
  const button = create('vscode-button');
  button.appearance = options.appearance ?? 'secondary';
  button.textContent = options.label;
  button.addEventListener('click', () => {
    if (!button.disabled) options.onClick();
  });
  return {
    element: button,
    setLabel(label) {
      if (button.textContent !== label) button.textContent = label;
    },
    setDisabled(disabled) {
      if (button.disabled !== disabled) button.disabled = disabled;
    },
    describe: descriptions => describeButton(button, descriptions),
  };
}

function describeButton(button: Button, descriptions: readonly HTMLElement[]): void {
  // The element that has the focus is inside the component.
  if (button.control) button.control.ariaDescribedByElements = [...descriptions];
}

/** A square button that shows a picture; the label is its name and its tooltip. */
export function createIconButton(options: { icon: SVGSVGElement; label: string; onClick: () => void }): ButtonControl {
  const button = create('vscode-button');
  const setLabel = (label: string) => {
    button.setAttribute('aria-label', label);
    button.title = label;
  };
  // The name first: the component would call every nameless icon "Icon Button".
  setLabel(options.label);
  button.appearance = 'icon';
  button.append(options.icon);
  button.addEventListener('click', () => {
    if (!button.disabled) options.onClick();
  });
  return {
    element: button,
    setLabel,
    setDisabled(disabled) {
      if (button.disabled !== disabled) button.disabled = disabled;
    },
    describe: descriptions => describeButton(button, descriptions),
  };
}

export interface TextOptions {
  label: string;
  placeholder?: string;
  /** Lines of a text area; left out: a single-line field. */
  rows?: number;
  onInput: (text: string) => void;
  onLeave?: () => void;
}

/** A text field or text area with its visible label. */
export function createTextInput(options: TextOptions): InputControl {
  const input = options.rows === undefined ? create('vscode-text-field') : create('vscode-text-area');
  // The label has to be there when the component connects: it copies the text to the name of its inner input.
  input.textContent = options.label;
  if (options.placeholder) input.placeholder = options.placeholder;
  input.spellcheck = options.rows !== undefined;
  if (input instanceof TextArea) {
    input.rows = options.rows ?? 3;
    input.setAttribute('resize', 'vertical');
  }
  input.addEventListener('input', () => options.onInput(input.value));
  input.addEventListener('blur', () => options.onLeave?.());
  return {
    element: input,
    get value() {
      return input.value;
    },
    set value(text) {
      input.value = text;
    },
    isFocused: () => document.hasFocus() && document.activeElement === input,
    setDisabled(disabled) {
      input.disabled = disabled;
    },
    describe(invalid, descriptions) {
      input.classList.toggle('is-invalid', invalid);
      const inner = input.control;
      if (!inner) return;
      inner.setAttribute('aria-invalid', String(invalid));
      // Ids do not reach across a shadow root; references to elements do.
      inner.ariaDescribedByElements = [...descriptions];
    },
  };
}

export interface DropdownOption {
  value: string;
  label: string;
}
export interface DropdownControl extends InputControl {
  setOptions(options: readonly DropdownOption[], value: string): void;
  /** These values cannot be chosen now. */
  disable(values: readonly string[]): void;
}

function setDisabledOption(
  option: HTMLElement & { value: string; disabled: boolean },
  values: readonly string[],
): void {
  const disabled = values.includes(option.value);
  if (option.disabled !== disabled) option.disabled = disabled;
}

/** A dropdown; `labelId` names the element with its visible label. */
export function createDropdown(options: {
  labelId: string;
  choices: readonly DropdownOption[];
  onChange: (value: string) => void;
}): DropdownControl {
  const dropdown = create('vscode-dropdown');
  dropdown.setAttribute('aria-labelledby', options.labelId);
  let wanted = '';
  let drawn = '';
  const select = (value: string) => {
    wanted = value;
    if (dropdown.value !== value) dropdown.value = value;
  };
  const setOptions = (choices: readonly DropdownOption[], value: string) => {
    const key = JSON.stringify(choices);
    if (key !== drawn) {
      drawn = key;
      dropdown.replaceChildren(
        ...choices.map(choice => {
          const option = create('vscode-option');
          option.value = choice.value;
          option.textContent = choice.label;
          option.title = choice.label;
          if (choice.value === value) option.setAttribute('selected', '');
          return option;
        }),
      );
    }
    select(value);
  };
  setOptions(options.choices, options.choices[0]?.value ?? '');
  dropdown.addEventListener('change', () => {
    // The component also says "change" while it takes up new options.
    if (dropdown.value === wanted || dropdown.value === '') return;
    wanted = dropdown.value;
    options.onChange(wanted);
  });
  return {
    element: dropdown,
    get value() {
      return wanted;
    },
    set value(value) {
      select(value);
    },
    setOptions,
    disable(values) {
      for (const option of dropdown.querySelectorAll('vscode-option')) {
        setDisabledOption(option as HTMLElement & { value: string; disabled: boolean }, values);
      }
    },
    isFocused: () => document.hasFocus() && document.activeElement === dropdown,
    setDisabled(disabled) {
      dropdown.disabled = disabled;
    },
    describe(invalid, descriptions) {
      dropdown.classList.toggle('is-invalid', invalid);
      dropdown.setAttribute('aria-invalid', String(invalid));
      dropdown.setAttribute('aria-describedby', descriptions.map(element => element.id).join(' '));
    },
  };
}

export interface CheckboxControl {
  readonly element: HTMLElement;
  checked: boolean;
  setDisabled(disabled: boolean): void;
  describe(descriptions: readonly HTMLElement[]): void;
}

export function createCheckbox(options: { label: string; onChange: (on: boolean) => void }): CheckboxControl {
  const checkbox = create('vscode-checkbox');
  checkbox.textContent = options.label;
  let wanted = false;
  checkbox.addEventListener('change', () => {
    if (checkbox.checked === wanted) return;
    wanted = checkbox.checked;
    options.onChange(wanted);
  });
  return {
    element: checkbox,
    get checked() {
      return wanted;
    },
    set checked(on) {
      wanted = on;
      if (checkbox.checked !== on) checkbox.checked = on;
    },
    setDisabled(disabled) {
      checkbox.disabled = disabled;
    },
    describe(descriptions) {
      checkbox.setAttribute('aria-describedby', descriptions.map(element => element.id).join(' '));
    },
  };
}

/** Tabs with one panel each, the first one open. */
export function createTabs(
  label: string,
  tabs: readonly { id: string; label: string; content: HTMLElement }[],
): HTMLElement {
  const panels = create('vscode-panels');
  panels.setAttribute('aria-label', label);
  for (const { id, label: text } of tabs) {
    const tab = create('vscode-panel-tab');
    tab.id = `tab-${id}`;
    tab.textContent = text;
    panels.append(tab);
  }
  for (const { id, content } of tabs) {
    const view = create('vscode-panel-view');
    view.id = `view-${id}`;
    view.append(content);
    panels.append(view);
  }
  return panels;
}

/** A turning ring for work whose length is unknown; what it stands for must be said in text beside it. */
export function createProgressRing(): HTMLElement {
  const ring = create('vscode-progress-ring');
  ring.setAttribute('aria-hidden', 'true');
  return ring;
}

export interface BadgeControl {
  readonly element: HTMLElement;
  setText(text: string): void;
}

/**
 * A short figure beside a title; hidden while its text is empty. Not the toolkit's own badge: its template holds a style
 * attribute, which a webview's security policy refuses.
 */
export function createBadge(): BadgeControl {
  const badge = document.createElement('span');
  badge.className = 'badge';
  badge.hidden = true;
  return {
    element: badge,
    setText(text) {
      if (badge.textContent !== text) badge.textContent = text;
      badge.hidden = text === '';
    },
  };
}
