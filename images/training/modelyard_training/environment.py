"""The environment and arguments of a script under SageMaker's contract, without anything secret of ours.

Names and forms: sagemaker-training-toolkit, ENVIRONMENT_VARIABLES.md.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard_training.layout import HOST, Layout, resources

# The script has no business with the store: what names a credential, or an identity that gives one, stays here.
SECRET_PREFIXES = ("AWS_", "GOOGLE_", "AZURE_", "MODELYARD_")
SECRET_WORDS = ("SECRET", "TOKEN", "PASSWORD", "CREDENTIAL", "ACCESS_KEY", "PRIVATE_KEY")
HARMLESS = frozenset({"AWS_REGION", "AWS_DEFAULT_REGION"})


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What of the pod's environment a script may see."""
    return {
        name: value
        for name, value in environment.items()
        if name in HARMLESS
        or not (name.startswith(SECRET_PREFIXES) or any(word in name.upper() for word in SECRET_WORDS))
    }


def decoded(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Hyperparameters as the toolkit hands them on: what reads as JSON becomes its value, the rest stays text."""
    return {name: _decoded(text) for name, text in hyperparameters.items()}


def arguments(hyperparameters: Mapping[str, Any]) -> list[str]:
    """`--name value`, by name; a name of one letter gets one dash."""
    found = []
    for name, value in sorted(hyperparameters.items()):
        found.append(f"--{name}" if len(name) > 1 else f"-{name}")
        found.append("" if value is None else str(value))
    return found


def contract_variables(
    layout: Layout, job: str, entry_point: str, channels: Sequence[str], hyperparameters: Mapping[str, Any]
) -> dict[str, str]:
    """The SM_* variables. `training` is the channel `train` under the name older scripts use."""
    paths = {name: str(layout.data / name) for name in channels}
    values: dict[str, Any] = {
        "SM_MODEL_DIR": str(layout.model),
        "SM_INPUT_DIR": str(layout.base / "input"),
        "SM_INPUT_CONFIG_DIR": str(layout.config),
        "SM_OUTPUT_DIR": str(layout.output),
        "SM_OUTPUT_DATA_DIR": str(layout.output / "data"),
        "SM_CHANNELS": sorted(channels),
        "SM_INPUT_DATA_CONFIG": json.loads((layout.config / "inputdataconfig.json").read_text()),
        "SM_RESOURCE_CONFIG": resources(),
        "SM_HPS": hyperparameters,
        "SM_USER_ARGS": arguments(hyperparameters),
        "SM_USER_ENTRY_POINT": entry_point,
        "SM_MODULE_NAME": Path(entry_point).stem,
        "SM_MODULE_DIR": str(layout.code),
        "SM_HOSTS": [HOST],
        "SM_CURRENT_HOST": HOST,
        "SM_NETWORK_INTERFACE_NAME": "eth0",
        "SM_NUM_CPUS": len(os.sched_getaffinity(0)),
        "SM_NUM_GPUS": _gpus(),
        "SM_NUM_NEURONS": len(list(Path("/dev").glob("neuron[0-9]*"))),
        "SM_LOG_LEVEL": 20,
        "TRAINING_JOB_NAME": job,
    }
    values |= {f"SM_CHANNEL_{name.upper()}": path for name, path in paths.items()}
    values["SM_CHANNEL_TRAINING"] = paths["train"]
    values |= {f"SM_HP_{name.upper()}": value for name, value in hyperparameters.items()}
    values["SM_TRAINING_ENV"] = _summary(values, paths)
    return {name: _text(value) for name, value in values.items()}


def _summary(values: Mapping[str, Any], paths: Mapping[str, str]) -> dict[str, Any]:
    """SM_TRAINING_ENV: the same again in one document."""
    named = {
        "hyperparameters": "SM_HPS",
        "model_dir": "SM_MODEL_DIR",
        "output_data_dir": "SM_OUTPUT_DATA_DIR",
        "num_cpus": "SM_NUM_CPUS",
        "num_gpus": "SM_NUM_GPUS",
        "user_entry_point": "SM_USER_ENTRY_POINT",
        "job_name": "TRAINING_JOB_NAME",
    }
    own = {name: values[variable] for name, variable in named.items()}
    return {"channel_input_dirs": dict(paths), **own, **resources()}


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _gpus() -> int:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    listed = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, timeout=60, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
