"""What a proof test takes but for its estimation: its copy, scored and judged, and what is emptied before and after."""

from datetime import timedelta

from bench.storage import Ticking
from shared.adapters.blobs import parse_day_blob
from shared.detection import engine_id
from shared.domain.performance import RateMap, Statement, StatementInputs, Statements
from shared.domain.proof_test import PROOF_PLATFORM, ProofTest
from tests.support.examples import statements

PROMISED_KG_S = 1e-5  # inside the template


def play_proof_test(world: Ticking, template: str) -> ProofTest:
    """Ask for a proof test, let it go its way without an estimation, and return what came of it."""
    app, present = world.app, world.present
    app.statements_table.put(template, Statements(newest=_promise(world, template)), None)
    app.proof_tests.ask(template, "bench")
    app.proof_tests.run()
    lake = app.clients.container(world.config.storage.lake_container)
    for name in list(lake.list_blob_names(name_starts_with=f"{PROOF_PLATFORM}/")):
        app.score_day(*parse_day_blob(name))
    present.moment += timedelta(minutes=world.config.proof.patience_minutes + 10)
    app.proof_tests.run()
    return app.proof_tests.view(template).tests.over[0]


def _promise(world: Ticking, template: str) -> Statement:
    now = world.present.moment
    record = world.app.registry.platform(world.platform.id)
    mine = [sensor for one in world.platform.templates if one.id == template for sensor in one.sensors]
    known = {sensor.id: record.history(sensor.id).current for sensor in mine}
    versions = {sensor: change.version for sensor, change in known.items() if change}
    inputs = StatementInputs(engine=engine_id(), baselines=versions, false_alarms={}, geometry="", settings={})
    promised = {
        "made": now,
        "inputs": inputs,
        "start": now,
        "end": now,
        "currents_known": 1.0,
        "map": RateMap(x=(0.0,), y=(0.0,), z=(2.0,), rates_kg_s=(((PROMISED_KG_S,),),)),
        "unknown": (),
    }
    return statements(template).newest.model_copy(update=promised)
