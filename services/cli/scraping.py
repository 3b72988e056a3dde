"""From where does Prometheus read metrics, which alerts does it evaluate, and to whom does it send them? `dtg up`
makes the configuration of Prometheus from the settings of `dtg up`, and writes it into the folder of `dtg up`."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules.yml"
CONFIGURATION, TARGETS, CONSOLE, KEY = (
    "prometheus.yml",
    "prometheus-targets.json",
    "prometheus-console.json",
    "prometheus.key",
)
"""Names of files in the folder of `dtg up`: the configuration, the list of pages that Prometheus reads without a key, the list
with the page that it reads with a key, and the key."""
ALERTMANAGERS = "prometheus-alertmanagers.json"


class MetricsPage(NamedTuple):
    """The page `/metrics` of a process. `worker`: the name of the process. `dtg up` prints this name, and the log file
    of the process has the same name."""

    worker: str
    port: int


def files(home: Path, workers: Iterable[MetricsPage], console: MetricsPage, alertmanager: str) -> dict[str, str]:
    """Returns the files for Prometheus: name → content. Prometheus reads every file but the configuration again by
    itself. So Prometheus need not be restarted when `dtg up` is started again."""
    managers = [{"targets": [alertmanager]}] if alertmanager else []
    return {
        CONFIGURATION: configuration(home.resolve()),
        TARGETS: json.dumps([_target(page) for page in workers]),
        CONSOLE: json.dumps([_target(console)]),
        ALERTMANAGERS: json.dumps(managers),
    }


def _target(page: MetricsPage) -> dict[str, object]:
    return {"targets": [f"127.0.0.1:{page.port}"], "labels": {"worker": page.worker}}


def configuration(home: Path) -> str:
    """Returns the configuration of Prometheus for the data in this folder. The path of the folder may contain any characters,
    so paths are written as JSON strings, which are valid YAML."""

    def file(name: str) -> str:
        return _text(_literal(home / name))

    return f"""# Written by `dtg up`; change DTG_HOME, the ports and DTG_ALERTMANAGER instead.
global:
  scrape_interval: 5s
  evaluation_interval: 15s

rule_files:
  - {_text(_literal(RULES))}

alerting:
  alertmanagers:
    - file_sd_configs:
        - files: [{file(ALERTMANAGERS)}]

scrape_configs:
  - job_name: dtg
    file_sd_configs:
      - files: [{file(TARGETS)}]
        refresh_interval: 10s

  # the console tells its figures to who has a right: `dtg up` makes this key
  - job_name: console
    authorization:
      credentials_file: {_text(str(home / KEY))}
    relabel_configs:
      - {{target_label: job, replacement: dtg}}
    file_sd_configs:
      - files: [{file(CONSOLE)}]
        refresh_interval: 10s
"""


def _text(path: str) -> str:
    return json.dumps(path, ensure_ascii=False)


def _literal(path: Path) -> str:
    """Returns a path with escapes, for settings that Prometheus reads as a pattern."""
    return re.sub(r"[\\\[?]", r"\\\g<0>", str(path))
