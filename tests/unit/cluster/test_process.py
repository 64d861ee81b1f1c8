"""Processes are found again by pid and start time, and only those are ended."""

import os
import subprocess
from pathlib import Path

from tests.cluster.process import Processes, Record, start_time
from tests.cluster.waiting import until


def test_start_find_and_stop(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start("sleeper", ["sh", "-c", "echo hello; exec sleep 60"])
    until(lambda: "hello" in processes.tail("sleeper"), "its log", 10)
    record = Processes(tmp_path).recorded()["sleeper"]
    assert record.alive
    processes.stop(["sleeper"])
    assert not record.alive
    assert processes.recorded() == {}


def test_a_process_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start("stubborn", ["sh", "-c", "trap '' TERM; echo ready; while true; do sleep 0.05; done"])
    until(lambda: "ready" in processes.tail("stubborn"), "the trap", 10)
    record = processes.recorded()["stubborn"]
    processes.stop(["stubborn"], grace_s=0.2)
    assert not record.alive


def test_a_record_that_another_run_takes_away_meanwhile_is_gone(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.records.mkdir()
    (processes.records / "gone.json").symlink_to(tmp_path / "nowhere")  # listed, and not there when it is read
    (processes.records / "kept.json").write_text('{"pid": 1, "started": "then"}')
    assert processes.recorded() == {"kept": Record(1, "then")}


def test_a_reused_pid_is_not_ours() -> None:
    stranger = Record(os.getpid(), "another boot:1")
    assert not stranger.alive
    stranger.signal(9)


def test_a_zombie_has_ended() -> None:
    with subprocess.Popen(["true"]) as process:
        until(lambda: start_time(process.pid) is None, "its end", 10)
