"""Optuna's samplers and pruners behind JSON lines on standard input and output, one answer a request, in order.

The study lives in Optuna's own journal file, which the program that asks reads and writes too. The first line is
{"journal", "study", "direction", "sampler", "pruner", "seed"}; sampler and pruner are names of classes of optuna.samplers
and optuna.pruners, or the built-in ones' names. Then, until standard input ends:
  {"ask": {name: distribution, ...}}       -> {"trial": number}
  {"report": [number, step, value]}        -> {"prune": true | false}
  {"tell": [number, state, value | null]}  -> {}
An error answers {"error": message} and leaves the study usable.
"""

import json
import sys

import optuna
from optuna.distributions import json_to_distribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import Trial, TrialState

STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


def make_sampler(name, seed):
    if name == "tpe":
        name = "TPESampler"
    if name == "random":
        name = "RandomSampler"
    kind = getattr(optuna.samplers, name)
    try:
        return kind(seed=seed)
    except TypeError:
        return kind()


def make_pruner(name):
    if name == "none":
        return optuna.pruners.NopPruner()
    if name == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=25, reduction_factor=2)
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=25)
    return getattr(optuna.pruners, name)()


def open_study(order):
    journal = order["journal"]
    lock = JournalFileOpenLock(journal) if sys.platform == "win32" else None
    storage = JournalStorage(JournalFileBackend(journal, lock_obj=lock))
    return optuna.create_study(
        storage=storage,
        study_name=order["study"],
        direction=order["direction"],
        sampler=make_sampler(order["sampler"], order["seed"]),
        pruner=make_pruner(order["pruner"]),
        load_if_exists=True,
    )


class Answering:
    def __init__(self, study):
        self.study = study
        self.trials = {}

    def trial(self, number):
        """The trial to report to; one that an earlier process began is opened again."""
        if number not in self.trials:
            frozen = self.study.get_trials(deepcopy=False)[number]
            self.trials[number] = Trial(self.study, frozen._trial_id)
        return self.trials[number]

    def answer(self, request):
        if "ask" in request:
            space = {name: json_to_distribution(text) for name, text in request["ask"].items()}
            trial = self.study.ask(space)
            self.trials[trial.number] = trial
            return {"trial": trial.number}
        if "report" in request:
            number, step, value = request["report"]
            trial = self.trial(number)
            trial.report(value, step)
            return {"prune": trial.should_prune()}
        if "tell" in request:
            number, state, value = request["tell"]
            self.study.tell(number, value, state=STATES[state])
            self.trials.pop(number, None)
            return {}
        raise ValueError(f"expected ask, report or tell, got {sorted(request)}")


def main():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    answering = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if answering is None:
                answering = Answering(open_study(request))
                reply = {"optuna": optuna.__version__}
            else:
                reply = answering.answer(request)
        except Exception as error:  # whatever a sampler throws is told, not swallowed
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
