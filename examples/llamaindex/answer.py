"""
Questions over a folder of documents, answered by a tuned model. In one terminal:

    node dist/cli.js serve --adapter RUN --port 8080 --token-env TUNING_FORK_KEY

in another, with the same TUNING_FORK_KEY:

    pip install -r examples/llamaindex/requirements.txt
    python examples/llamaindex/answer.py --model NAME examples/llamaindex/documents "How often do I water a cactus?"
"""

import argparse
import json

from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer
from models import WordRetriever, open_model, read_passages


def main() -> None:
    parser = argparse.ArgumentParser(description="Answer a question over documents.")
    parser.add_argument("documents")
    parser.add_argument("question")
    parser.add_argument("--model", required=True, help="name of the tuned model, as GET /v1/models lists it")
    parser.add_argument("--context", type=int, default=2048, help="tokens of the model's context")
    parser.add_argument("--passages", type=int, default=3, help="passages that the model is shown")
    options = parser.parse_args()
    passages = read_passages(options.documents, chunk_tokens=options.context // 8)
    engine = RetrieverQueryEngine(
        retriever=WordRetriever(passages, options.passages),
        response_synthesizer=get_response_synthesizer(llm=open_model(options.model, options.context)),
    )
    response = engine.query(options.question)
    sources = [source.node.metadata.get("file_name") for source in response.source_nodes]
    print(json.dumps({"answer": str(response), "sources": sources}, ensure_ascii=False))


if __name__ == "__main__":
    main()
