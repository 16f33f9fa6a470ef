"""BLEU and chrF by sacrebleu and ROUGE-L by rouge-score: pairs of answer and reference as JSON in, figures as JSON out."""
import json
import sys

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

pairs = json.load(sys.stdin)
answers = [answer for answer, _ in pairs]
references = [reference for _, reference in pairs]
bleu, row_bleu, chrf = BLEU(), BLEU(effective_order=True), CHRF()
rouge = RougeScorer(["rougeL"], use_stemmer=False)
json.dump(
    {
        "bleu": bleu.corpus_score(answers, [references]).score,
        "chrF": chrf.corpus_score(answers, [references]).score,
        "rows": [
            {
                "bleu": row_bleu.sentence_score(answer, [reference]).score,
                "chrF": chrf.sentence_score(answer, [reference]).score,
                "rougeL": rouge.score(reference, answer)["rougeL"].fmeasure,
            }
            for answer, reference in pairs
        ],
    },
    sys.stdout,
)
