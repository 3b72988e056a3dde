"""Does every alert read metrics that exist, fire when it should, and lead to a page that says what to do?"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import services.clearance.metrics
import services.console.pages.sign_in
import services.console.readmodel.projector  # imported for the metrics it registers
import services.shell.metrics
import services.shell.worker
from services.cli.processes import worker
from services.cli.scraping import MetricsPage, files
from services.cli.settings import UpSettings
from services.cli.up import Up

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = (FOLDER / "rules.yml").read_text()
ALERTS = set(re.findall(r"- alert: (\w+)", RULES))
BUILT_IN = {"up"}


def promtool(*arguments: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def exported() -> set[str]:
    """Every series name that a worker, the projector or the console can export."""
    families = [*REGISTRY.collect(), *services.clearance.metrics.OpenConsignments().collect()]
    kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {family.name + end for family in families for end in kinds.get(family.type, ("",))} | BUILT_IN


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the rules and their tests, which a test may damage."""
    return shutil.copytree(FOLDER, tmp_path / "prometheus")


HOMES = ("data", "folder with 'quotes' and \"more\"", "数据: # {a} %s", "back\\slash [a-z]?")
PAGES = (MetricsPage("worker-risk-0", 6166), MetricsPage("projector", 6165))


@pytest.mark.parametrize("name", HOMES)
@pytest.mark.parametrize("alertmanager", ["", "127.0.0.1:9093"])
def test_the_configuration_of_any_folder_is_one_that_prometheus_reads(
    tmp_path: Path, name: str, alertmanager: str
) -> None:
    home = tmp_path / name
    home.mkdir()
    (home / "prometheus.key").write_text("dtg_…")
    written = files(home, PAGES, MetricsPage("console", 8180), alertmanager)
    for file, text in written.items():
        (home / file).write_text(text)
    done = promtool("check", "config", str(home / "prometheus.yml"))
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout + done.stderr and "rule files" in done.stdout
    (home / "prometheus-targets.json").write_text("[{]")
    assert promtool("check", "config", str(home / "prometheus.yml")).returncode != 0
    assert (alertmanager in written["prometheus-alertmanagers.json"]) and ("9093" in str(written)) is bool(alertmanager)


def test_the_targets_follow_the_settings_and_are_named_by_their_process(tmp_path: Path) -> None:
    ports = {"worker_port": 7001, "projector_port": 7100, "console_port": 7200}
    settings = UpSettings(home=str(tmp_path), layout="declaration,risk;gate", **ports)  # type: ignore[arg-type]
    up = Up(settings, demo=False, speed=1, consignments=1, seed=1)
    up.workers = [worker(d, 7001 + n, tmp_path, {}, slot=str(n)) for n, d in enumerate(settings.workers())]
    up._write_targets()
    targets = [
        (one["targets"], one["labels"]["worker"])
        for file in ("prometheus-targets.json", "prometheus-console.json")
        for one in json.loads((tmp_path / file).read_text())
    ]
    assert targets == [
        (["127.0.0.1:7001"], "worker-declaration-risk-0"),
        (["127.0.0.1:7002"], "worker-gate-1"),
        (["127.0.0.1:7100"], "projector"),
        (["127.0.0.1:7200"], "console"),
    ]
    assert str(tmp_path / "prometheus-targets.json") in (tmp_path / "prometheus.yml").read_text()


SEVERITY = dict(re.findall(r"- alert: (\w+)(?:(?!- alert:).)*?severity: (\w+)", RULES, re.DOTALL))


def routed(file: Path = FOLDER / "alertmanager.yml", **labels: str) -> str:
    options = [f"{name}={value}" for name, value in labels.items()]
    line = ["amtool", "config", "routes", "test", f"--config.file={file}", *options]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_example_of_alertmanager_is_one_that_it_reads() -> None:
    done = subprocess.run(
        ["amtool", "check-config", str(FOLDER / "alertmanager.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_reaches_its_receiver_and_one_that_no_route_knows_a_person() -> None:
    assert set(SEVERITY) == ALERTS and set(SEVERITY.values()) == {"page", "ticket"}
    for alert, severity in SEVERITY.items():
        assert routed(alertname=alert, severity=severity) == {"page": "duty", "ticket": "tickets"}[severity], alert
    assert routed(alertname="Unknown", severity="new") == routed(alertname="Unknown") == "duty"


def test_a_spoilt_route_is_seen(copy: Path) -> None:
    file = copy / "alertmanager.yml"
    file.write_text(file.read_text().replace('severity="page"', 'severity="ticket"'))
    assert routed(file, alertname="WorkerDown", severity="ticket") != "tickets"


def test_no_page_is_kept_back_by_another_alert() -> None:
    rules = (FOLDER / "alertmanager.yml").read_text().partition("inhibit_rules:")[2].partition("time_intervals:")[0]
    targets = re.findall(r"target_matchers: \[(.*)\]", rules)
    assert targets and all('severity="ticket"' in each for each in targets)
    named = {name for each in targets for name in re.findall(r'alertname=~?"([\w|]+)"', each)[0].split("|")}
    assert {SEVERITY[name] for name in named} == {"ticket"}


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
