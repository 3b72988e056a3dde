"""Does every alert read metrics that exist, fire when it should, and lead to a page that says what to do?"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import services.clearance.metrics
import services.console.projector  # imported for the metrics it registers
import services.console.signing
import services.shell.metrics
import services.shell.worker

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = (FOLDER / "rules.yml").read_text()
ALERTS = set(re.findall(r"- alert: (\w+)", RULES))
BUILT_IN = {"up"}


def promtool(*arguments: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def exported() -> set[str]:
    """Every series name that a worker or the console can export."""
    families = [*REGISTRY.collect(), *services.clearance.metrics.Watch().collect()]
    kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {family.name + end for family in families for end in kinds.get(family.type, ("",))} | BUILT_IN


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The rules and their tests, to be spoilt."""
    return shutil.copytree(FOLDER, tmp_path / "prometheus")


def test_the_configuration_is_one_that_prometheus_reads(tmp_path: Path) -> None:
    for targets in (tmp_path / ".datongguan-demo", tmp_path / ".datongguan"):
        targets.mkdir()
        targets.joinpath("prometheus-targets.json").write_text(
            json.dumps([{"targets": ["127.0.0.1:6066", "127.0.0.1:6065"], "labels": {"job": "dtg"}}])
        )
        targets.joinpath("prometheus-console.json").write_text(
            json.dumps([{"targets": ["127.0.0.1:8080"], "labels": {"job": "dtg"}}])
        )
        targets.joinpath("prometheus.key").write_text("dtg_…")
    folder = shutil.copytree(FOLDER, tmp_path / "deploy" / "prometheus")
    done = promtool("check", "config", "prometheus.yml", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    targets.joinpath("prometheus-targets.json").write_text("[{]")
    assert promtool("check", "config", "prometheus.yml", folder=folder).returncode != 0


def test_every_alert_fires_when_it_should_and_only_then() -> None:
    done = promtool("test", "rules", "rules_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(re.findall(r"alertname: (\w+)", (FOLDER / "rules_test.yml").read_text())) == ALERTS


@pytest.mark.parametrize(("was", "spoilt"), [("lag) > 0", "lag) > 50"), (" unless ", " and "), ("3600", "9000")])
def test_a_spoilt_rule_is_seen(copy: Path, was: str, spoilt: str) -> None:
    rules = copy / "rules.yml"
    text = rules.read_text().replace(was, spoilt)
    if text == rules.read_text():
        pytest.fail(f"{was!r} is not in the rules")
    rules.write_text(text)
    assert promtool("test", "rules", "rules_test.yml", folder=copy).returncode != 0


def test_alerts_read_only_metrics_that_are_exported() -> None:
    read = set(re.findall(r"\b(?:customs_\w+|up)\b", re.sub(r"[a-z]+=\"[^\"]*\"|summary:.*|#.*", "", RULES)))
    assert read - exported() == set()
    assert "customs_loop_lag" in read


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    pages = {page.stem for page in (ROOT / "docs" / "runbooks").iterdir()}
    assert pages == ALERTS
    assert set(re.findall(r"runbook: docs/runbooks/(\w+)\.md", RULES)) == ALERTS
    assert RULES.count("- alert:") == RULES.count("runbook:") == RULES.count("severity:") == len(ALERTS)
