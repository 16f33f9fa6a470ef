"""Tuning Fork's PyTorch engine: a prepared run folder -> the same files that the embedded engine writes.

`python -m tuning_fork_engine <run folder>` does one attempt at a run. It reads `run.json` and the plan of tokens that the
text step left under the run's cache, and trains with Transformers, PEFT and TRL.
"""
