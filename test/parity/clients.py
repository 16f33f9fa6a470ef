"""The official OpenAI client and LlamaIndex's OpenAILike against a server -> what they got, as JSON.

usage: clients.py BASE_URL KEY BASE_MODEL ADAPTER QUESTION
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import openai
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

base_url, key, base_model, adapter, question = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=60)
messages = [{"role": "user", "content": question}]
settings = {"messages": messages, "max_tokens": 12, "temperature": 0}


def ask(model: str) -> str:
    return client.chat.completions.create(model=model, **settings).choices[0].message.content


def ask_streamed(model: str) -> dict:
    text, reason, usage = "", None, None
    options = {"stream": True, "stream_options": {"include_usage": True}}
    for chunk in client.chat.completions.create(model=model, **settings, **options):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reason = choice.finish_reason or reason
    return {"text": text, "reason": reason, "outputTokens": usage.completion_tokens}


def refusal(call) -> list:
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code, error.param]
    return ["none"]


def like(model: str) -> OpenAILike:
    return OpenAILike(
        model=model,
        api_base=base_url,
        api_key=key,
        is_chat_model=True,
        context_window=256,
        max_tokens=12,
        temperature=0,
        max_retries=0,
    )


with ThreadPoolExecutor(16) as pool:
    together = list(pool.map(ask, [base_model, adapter] * 8))

llm = like(adapter)
streamed = list(llm.stream_chat([ChatMessage(role="user", content=question)]))
result = {
    "models": [model.id for model in client.models.list()],
    "retrieved": client.models.retrieve(adapter).id,
    "answers": {model: ask(model) for model in (base_model, adapter)},
    "streamed": {model: ask_streamed(model) for model in (base_model, adapter)},
    "together": together,
    "completion": client.completions.create(model=base_model, prompt="ab", max_tokens=3, logprobs=1)
    .choices[0]
    .model_dump(),
    "wrongKey": refusal(openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0).models.list),
    "wrongModel": refusal(lambda: client.chat.completions.create(model="other", messages=messages)),
    "tools": refusal(
        lambda: client.chat.completions.create(
            model=adapter,
            messages=messages,
            tools=[{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        )
    ),
    "llamaIndex": {
        "chat": llm.chat([ChatMessage(role="user", content=question)]).message.content,
        "streamed": streamed[-1].message.content,
        "pieces": len(streamed),
        "complete": llm.complete(question).text,
    },
}
print(json.dumps(result))
