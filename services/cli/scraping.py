"""Where does Prometheus read, which alerts does it work out, and to whom does it send them? Written by `dtg up` after its settings."""

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
"""Files in the folder: the configuration, what it reads without a key and with one, and the key."""
ALERTMANAGERS = "prometheus-alertmanagers.json"


class MetricsPage(NamedTuple):
    """A process with `/metrics`: `worker` is its name, as `dtg up` prints it and as its log is called."""

    worker: str
    port: int


def files(home: Path, workers: Iterable[MetricsPage], console: MetricsPage, alertmanager: str) -> dict[str, str]:
    """Every file by its name. Prometheus looks at all but the configuration again by itself, so that a later start needs no new one."""
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
    """The configuration for the data of this folder, whatever signs stand in its path; YAML takes JSON's texts as they are."""

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
    """A path where Prometheus takes a pattern."""
    return re.sub(r"[\\\[?]", r"\\\g<0>", str(path))
