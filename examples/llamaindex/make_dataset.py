"""
A folder of documents -> a dataset of questions and answers for fine-tuning, written by a model behind `tuning-fork serve` (or any
endpoint of OpenAI's kind in TUNING_FORK_URL). Each row names its source and is marked synthetic; doubles are left out.

    python examples/llamaindex/make_dataset.py --model NAME examples/llamaindex/documents plants.jsonl
    node dist/cli.js train plants.jsonl --model M
"""

import argparse
import json

from llama_index.core.schema import MetadataMode
from models import open_model, read_passages

ASK = "Write one question that this text answers. Write the question alone.\n\nText:\n{text}"
ANSWER = "Answer the question from the text alone, in one or two sentences.\n\nText:\n{text}\n\nQuestion: {question}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a dataset out of documents.")
    parser.add_argument("documents")
    parser.add_argument("out")
    parser.add_argument("--model", required=True, help="the model that asks and answers")
    parser.add_argument("--context", type=int, default=2048, help="tokens of the model's context")
    options = parser.parse_args()
    model = open_model(options.model, options.context)
    seen: set[str] = set()
    rows = 0
    with open(options.out, "w", encoding="utf-8") as out:
        for passage in read_passages(options.documents, chunk_tokens=options.context // 8):
            text = passage.get_content(metadata_mode=MetadataMode.NONE)
            question = model.complete(ASK.format(text=text)).text.strip()
            answer = model.complete(ANSWER.format(text=text, question=question)).text.strip()
            if not question or not answer or question.casefold() in seen:
                continue
            seen.add(question.casefold())
            row = {"question": question, "answer": answer, "source": passage.metadata.get("file_name"), "synthetic": True}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            rows += 1
    print(json.dumps({"rows": rows, "path": options.out}))


if __name__ == "__main__":
    main()
