"""Small tokenizers of the kinds that real models use, and golden token ids and masks made with them.

    python test/parity/tokenizerGoldens.py make       # trains the tokenizers into test/fixtures/tokenizers
    python test/parity/tokenizerGoldens.py > test/fixtures/tokenizers/goldens.json

Made with tokenizers 0.23 and transformers 5.23. The mask of a token comes from Hugging Face's offsets; for templates with
generation tags it is the one that transformers' apply_chat_template returns.
"""

import json
import pathlib
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"
FOLDER = FIXTURES / "tokenizers"

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")

PROSE = """
The river rose in the night and by morning the lower road was under water. People carried their chairs upstairs,
counted the children and the cats, and waited. "It will fall again," said the miller, who had seen it happen in 1974,
1998 and 2011, "it always does." The answer is 42; the question isn't known. What's a neuron? A cell that carries
signals. How do you do? Fine, thank you. They'll, we've, I'm, he'd. Say nothing. Goodbye! 3.14159, 100,000 and 7.
    def answer(question):
        return {"text": question.strip(), "tokens": [1, 2, 3]}

Les élèves mangent à midi. Größe ist nicht alles. ¿Dónde está la biblioteca? Как дела? Хорошо. 日本語で答えて。良いです。
"""

CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
HEADERS = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
SENTENCE = ["<unk>", "<s>", "</s>"]


def byte_level(pattern, specials, normalizer=None, bos=None):
    tokenizer = Tokenizer(models.BPE(ignore_merges=pattern == LLAMA3))
    steps = [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern is None)]
    steps.insert(0, pre_tokenizers.Split(Regex(pattern), "isolated") if pattern else pre_tokenizers.Digits(True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=420, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in specials])
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    return tokenizer


def sentence_piece(normalizer=None, pre_tokenizer=None, specials=(), strips=True):
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.Replace(" ", "\u2581")
    trained.pre_tokenizer = pre_tokenizers.Split(Regex("\u2581?[^\u2581\\s]+|\\s"), "isolated")
    trainer = trainers.BpeTrainer(vocab_size=300, show_progress=False, limit_alphabet=90)
    trained.train_from_iterator(corpus(), trainer)
    learned = json.loads(trained.to_str())["model"]
    pieces = SENTENCE + [f"<0x{byte:02X}>" for byte in range(256)]
    pieces += [piece for piece in sorted(learned["vocab"], key=learned["vocab"].get) if piece not in "\n\t\r"]
    merges = [tuple(merge) for merge in learned["merges"]]
    model = models.BPE({piece: i for i, piece in enumerate(pieces)}, merges, byte_fallback=True, fuse_unk=True)
    model.unk_token = "<unk>"
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre_tokenizer:
        tokenizer.pre_tokenizer = pre_tokenizer
    steps = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if strips else []))
    extra = [AddedToken(text, special=True, normalized=False) for text in specials]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SENTENCE] + extra)
    return tokenizer


def corpus():
    turns = json.loads((FIXTURES / "templates" / "conversations.json").read_text(encoding="utf-8"))
    return [PROSE] * 3 + [content for rows in turns.values() for _, content in rows]


def make():
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    prepend = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    made = {
        "llama3": byte_level(LLAMA3, HEADERS, bos="<|begin_of_text|>"),
        "qwen": byte_level(QWEN, CHATML, normalizer=normalizers.NFC()),
        "smollm": byte_level(None, CHATML),
        "llama2": sentence_piece(prepend),
        "mistral": sentence_piece(pre_tokenizer=metaspace),
        "gemma": sentence_piece(
            normalizers.Replace(" ", "\u2581"), specials=["<start_of_turn>", "<end_of_turn>"], strips=False
        ),
        "phi3": sentence_piece(prepend, specials=["<|end|>", "<|user|>", "<|assistant|>", "<|system|>", "<|endoftext|>"]),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, tokenizer in made.items():
        data = json.loads(tokenizer.to_str())
        for token in data["added_tokens"]:
            # Phi-3 swallows white space behind its turn tokens.
            token["rstrip"] = name == "phi3" and token["content"].startswith("<|")
        text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


# Each tokenizer with a template of its family, in which the turns end with a token of its own.
PAIRS = {
    "llama3": "llama-3.1",
    "qwen": "qwen2.5",
    "smollm": "smollm2",
    "llama2": "llama-2",
    "mistral": "mistral-v0.3",
    "gemma": "gemma-2",
    "phi3": "phi-3",
}
TAGGED = {
    "llama3": ("llama-3-tagged", "<|begin_of_text|>", "<|end_of_text|>"),
    "qwen": ("qwen2.5-tagged", None, "<|endoftext|>"),
    "gemma": ("gemma-2-tagged", "<s>", "</s>"),
}


def utf16(text, offset):
    return len(text[:offset].encode("utf-16-le")) // 2


def encode_with_mask(tokenizer, text, spans):
    """Ids, mask and whether a token straddles the border of a span."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    borders = {border for span in spans for border in span}
    mask, straddles = [], False
    for token_id, (start, end) in zip(encoding.ids, encoding.offsets):
        token = tokenizer.id_to_token(token_id)
        if text.startswith(token, start) and token.startswith("<|"):
            end = start + len(token)  # without the white space that it swallows
        start, end = utf16(text, start), utf16(text, end)
        straddles |= any(start < border < end for border in borders)
        mask.append(int(any(a <= start and start < b for a, b in spans)))
    return {"ids": encoding.ids, "mask": mask, "straddles": straddles}


def goldens():
    templates = json.loads((FIXTURES / "templates" / "goldens.json").read_text(encoding="utf-8"))
    conversations = json.loads((FIXTURES / "templates" / "conversations.json").read_text(encoding="utf-8"))
    result = {}
    for name, template in PAIRS.items():
        tokenizer = Tokenizer.from_file(str(FOLDER / f"{name}.json"))
        cases = {}
        for key, golden in templates[template].items():
            if golden.get("spans") is None:
                continue
            case = encode_with_mask(tokenizer, golden["text"], golden["spans"])
            case["decoded"] = tokenizer.decode(case["ids"], skip_special_tokens=True)
            cases[key] = case
        plain = {}
        for key, turns in conversations.items():
            text = turns[-1][1]
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            plain[key] = {"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)}
        result[name] = {"template": template, "cases": cases, "plain": plain}
        if name in TAGGED:
            result[name]["tagged"] = tagged_cases(name, conversations)
    json.dump(result, sys.stdout, ensure_ascii=True, separators=(",", ":"))
    sys.stdout.write("\n")


def tagged_cases(name, conversations):
    template, bos, eos = TAGGED[name]
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(FOLDER / f"{name}.json"), bos_token=bos, eos_token=eos)
    tokenizer.chat_template = (FIXTURES / "templates" / f"{template}.jinja").read_text(encoding="utf-8")
    cases = {}
    for key, turns in conversations.items():
        messages = [{"role": role, "content": content} for role, content in turns]
        try:
            out = tokenizer.apply_chat_template(
                messages, return_dict=True, return_assistant_tokens_mask=True, tokenize=True
            )
        except Exception:  # noqa: BLE001 - refused conversations are compared with the templates
            continue
        cases[key] = {"ids": out["input_ids"], "mask": out["assistant_masks"]}
    return {"template": template, "bos": bos, "eos": eos, "cases": cases}


if sys.argv[1:] == ["make"]:
    make()
else:
    goldens()
