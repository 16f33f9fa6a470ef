"""Golden texts and assistant spans of stock chat templates, rendered by Jinja2 as transformers sets it up.

    python test/parity/templateGoldens.py > test/fixtures/templates/goldens.json

Made with transformers 5.23 and jinja2 3.1.6. Spans are in UTF-16 units. For templates with generation tags they are
what transformers tracks; for the others they are found here on their own, by prefixes of the conversation and by the
end token that the model's makers name, in a table below: nothing of Tuning Fork's search is used.
"""

import json
import pathlib
import re
import sys
from datetime import datetime

from transformers.utils import chat_template_utils

FOLDER = pathlib.Path(__file__).parents[1] / "fixtures" / "templates"
SPECIALS = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
}
TURN_END = {
    "chatml": "<|im_end|>",
    "chatml-headless": "<|im_end|>",
    "gemma-2": "<end_of_turn>",
    "llama-2": "</s>",
    "llama-3": "<|eot_id|>",
    "llama-3.1": "<|eot_id|>",
    "llama-3.2": "<|eot_id|>",
    "mistral-v0.1": "</s>",
    "mistral-v0.3": "</s>",
    "phi-3": "<|end|>",
    "phi-3.5": "<|end|>",
    "qwen2.5": "<|im_end|>",
    "qwen3": "<|im_end|>",
    "smollm2": "<|im_end|>",
    "smollm3": "<|im_end|>",
    "vicuna": "</s>",
    "zephyr": "</s>",
}
# Templates without a generation prompt although a header stands before each answer.
HEADER = {"chatml-headless": "<|im_start|>assistant\n"}
# Where no prompt is a prefix of the text: what is generated before the content, if it stands there.
LEAD = {"mistral-v0.3": " ", "qwen3": "<think>\n\n</think>\n\n", "vicuna": " "}


class FixedClock(datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


def render(template, messages, add_generation_prompt=False, tracked=False):
    texts, spans = chat_template_utils.render_jinja_template(
        conversations=[messages],
        chat_template=template,
        add_generation_prompt=add_generation_prompt,
        return_assistant_tokens_mask=tracked,
        **SPECIALS,
    )
    return texts[0], (spans[0] if tracked else [])


def said_part(name, content):
    """The part of a message that the template writes, trimmed."""
    if name == "qwen3" and "</think>" in content:
        content = content.split("</think>")[-1]
    return content.strip()


def find_spans(name, template, messages, text):
    spans, behind = [], 0
    for i, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        try:
            prompt = render(template, messages[:i], True)[0] + HEADER.get(name, "")
        except Exception:  # noqa: BLE001 - a shorter conversation may be refused
            prompt = None
        said = said_part(name, message["content"])
        if prompt is not None and text.startswith(prompt) and len(prompt) >= behind:
            start = len(prompt)
        else:
            content = text.index(said, behind) if said else None
            if content is None:
                return None
            lead = LEAD.get(name, "")
            start = content - len(lead) if text[:content].endswith(lead) else content
        end = text.index(said or TURN_END[name], start) + len(said)
        rest = text[end:]
        after = rest.lstrip()
        if after.startswith(TURN_END[name]):
            end += len(rest) - len(after) + len(TURN_END[name])
        spans.append([start, end])
        behind = end
    return spans


def utf16(text, offset):
    return len(text[:offset].encode("utf-16-le")) // 2


def make_case(name, template, messages):
    tagged = re.search(r"\{\%[-+]?\s*generation\s*-?\%\}", template) is not None
    try:
        text, spans = render(template, messages, tracked=tagged)
    except Exception as error:  # noqa: BLE001 - what a template raises is part of the golden
        return {"refused": str(error)}
    try:
        prompt = render(template, messages, True)[0]
    except Exception:  # noqa: BLE001
        prompt = None
    if not tagged:
        spans = find_spans(name, template, messages, text)
    else:
        spans = [span for span in spans if span[1] > span[0]]
    return {
        "text": text,
        "prompt": prompt,
        "spans": spans and [[utf16(text, a), utf16(text, b)] for a, b in spans],
    }


def make_snippet(template):
    """Small templates written for the ways in which an imitation of Jinja2 can differ from it."""
    messages = [
        {"role": "user", "content": "Q1"},
        {"role": "assistant", "content": "A1"},
        {"role": "user", "content": "Q2"},
        {"role": "assistant", "content": "A2"},
    ]
    text, spans = render(template, messages, tracked=True)
    return {"text": text, "spans": [[utf16(text, a), utf16(text, b)] for a, b in spans if b > a]}


def main():
    chat_template_utils.datetime = FixedClock
    conversations = json.loads((FOLDER / "conversations.json").read_text(encoding="utf-8"))
    goldens = {}
    for path in sorted(FOLDER.glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        goldens[path.stem] = {
            key: make_case(path.stem, template, [{"role": r, "content": c} for r, c in turns])
            for key, turns in conversations.items()
        }
    snippets = json.loads((FOLDER / "snippets.json").read_text(encoding="utf-8"))
    goldens["snippets"] = {name: make_snippet(template) for name, template in snippets.items()}
    json.dump(goldens, sys.stdout, ensure_ascii=True, indent=1)
    sys.stdout.write("\n")


main()
