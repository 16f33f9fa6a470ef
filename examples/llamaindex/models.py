"""What both examples share: the model behind `tuning-fork serve`, and a folder of documents cut into passages."""

import math
import os
import re
from collections import Counter

from llama_index.core import SimpleDirectoryReader
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import BaseNode, NodeWithScore, QueryBundle
from llama_index.llms.openai_like import OpenAILike


def open_model(name: str, context_tokens: int) -> OpenAILike:
    """The model of that name at TUNING_FORK_URL (ends in /v1), with the key in TUNING_FORK_KEY."""
    return OpenAILike(
        model=name,
        api_base=os.environ.get("TUNING_FORK_URL", "http://127.0.0.1:8080/v1"),
        api_key=os.environ["TUNING_FORK_KEY"],
        is_chat_model=True,
        context_window=context_tokens,
        max_tokens=min(200, context_tokens // 4),
        temperature=0.0,
        timeout=300.0,
    )


def read_passages(folder: str, chunk_tokens: int) -> list[BaseNode]:
    """The documents under a folder, cut between sentences. Tokens are counted as words here: no tokenizer is downloaded."""
    documents = SimpleDirectoryReader(folder, recursive=True, required_exts=[".md", ".txt"]).load_data()
    splitter = SentenceSplitter(chunk_size=chunk_tokens, chunk_overlap=chunk_tokens // 8, tokenizer=split_words)
    return splitter.get_nodes_from_documents(documents)


def split_words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower())


class WordRetriever(BaseRetriever):
    """The passages that share the rarest words with a question (BM25), so that no embedding model is needed."""

    def __init__(self, passages: list[BaseNode], top: int) -> None:
        super().__init__()
        self.passages = passages
        self.top = top
        self.counts = [Counter(split_words(passage.get_content())) for passage in passages]
        self.mean = sum(sum(counts.values()) for counts in self.counts) / len(passages)
        self.found = Counter(word for counts in self.counts for word in counts)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        words = set(split_words(query_bundle.query_str))
        scored = [NodeWithScore(node=p, score=self.score(words, c)) for p, c in zip(self.passages, self.counts, strict=True)]
        return sorted(scored, key=lambda each: -(each.score or 0))[: self.top]

    def score(self, words: set[str], counts: Counter[str]) -> float:
        length = 0.25 + 0.75 * sum(counts.values()) / self.mean
        return sum(self.rarity(word) * counts[word] * 2.5 / (counts[word] + 1.5 * length) for word in words)

    def rarity(self, word: str) -> float:
        found = self.found[word]
        return math.log(1 + (len(self.passages) - found + 0.5) / (found + 0.5))
