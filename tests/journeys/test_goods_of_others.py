"""Do simulated people on a running border send no requests about goods that a real declarant lodged?"""

from schemas.declaration import DeclaredContainer
from services.cli.log import read
from services.simulator.player import Player
from services.simulator.settings import SimulatorSettings
from tests.chaos.days import day
from tests.conftest import PARTITIONS
from tests.declaration.good import lodge
from tests.kafka.border import TOPICS, Border


def test_nobody_simulated_says_a_word_about_goods_of_a_real_declarant(border: Border) -> None:
    lodged = lodge(reference="REAL-OWN", containers=(DeclaredContainer(container_no="TCLU4265771"),))
    key = lodged.consignment_id
    border.ask(lodged)
    settings = SimulatorSettings(kafka=border.bootstrap, partitions=PARTITIONS)
    played = Player(settings, day(41, 20), 0, 20, paced=False, idle_seconds=60, clock=border.clock).run()
    assert played.finished
    entries = list(read(border.bootstrap, TOPICS))
    kinds = [entry.kind for entry in entries if entry.key == key]
    assert "ConsignmentAssessed" in kinds and kinds.count("LodgeDeclaration") == 1
    assert {"ReportArrival", "RecordFindings", "RecordTreatment", "PlaceHold"}.isdisjoint(kinds)
    simulated = [entry for entry in entries if entry.headers.get("ce_source") == "/simulator"]
    assert simulated and all(entry.body["asked_by"].startswith("simulated/") for entry in simulated)
