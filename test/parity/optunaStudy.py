"""Goes on with a study that the built-in sampler began: a few trials of Optuna's TPE; prints what it found and made."""

import json
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

optuna.logging.set_verbosity(optuna.logging.ERROR)
storage = JournalStorage(JournalFileBackend(sys.argv[1]))
study = optuna.load_study(
    study_name="study",
    storage=storage,
    sampler=optuna.samplers.TPESampler(seed=1),
    pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=25, reduction_factor=2),
)
found = [
    {
        "number": t.number,
        "state": t.state.name,
        "value": t.value,
        "params": t.params,
        "intermediate": list(t.intermediate_values.items()),
        "system": {k: v for k, v in t.system_attrs.items() if k.startswith("completed_rung")},
        "user": t.user_attrs,
    }
    for t in study.get_trials()
]


def objective(trial):
    rate = trial.suggest_float("learningRate", 1e-5, 1e-1, log=True)
    rank = trial.suggest_int("rank", 4, 64, log=True)
    layers = trial.suggest_categorical("targetModules", ["q_proj,v_proj", "all"])
    value = abs(rate - 1e-3) * 100 + abs(rank - 16) / 16 + (layers != "all")
    trial.report(value, 25)
    if trial.should_prune():
        raise optuna.TrialPruned()
    return value


study.optimize(objective, n_trials=int(sys.argv[2]))
print(json.dumps({"found": found, "best": study.best_value, "direction": study.direction.name, "metric": study.metric_names}))
