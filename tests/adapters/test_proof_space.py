"""What proof tests keep apart, on real storage: it is emptied, and nothing else is."""

from datetime import UTC, datetime

import pytest

from local.azurite import Azurite
from shared.domain.proof_test import PROOF_PLATFORM, ProofTest, ProofTests
from shared.errors import Conflict
from shared.settings import NotifySettings
from tests.conftest import bootstrap, environment
from tests.support.examples import DAY, document, noise, quiet_baseline, statements, template
from tests.support.tidal_world import TEMPLATE

pytestmark = pytest.mark.azurite
ASKED = datetime(2026, 3, 5, 12, tzinfo=UTC)


def test_the_space_is_emptied_and_what_is_real_stays(azurite: Azurite, unique: str) -> None:
    """Tables, baselines and readings of the platform of proof tests; emptying it again changes nothing."""
    app = bootstrap(environment(azurite.connection_string, unique))
    app.clients.ensure_storage()
    real, copy = template(), template(PROOF_PLATFORM, "20260305t120000")
    with app.of(PROOF_PLATFORM) as apart:
        assert apart.settings.notify == NotifySettings()
        for its, one in ((app, real), (apart, copy)):
            its.lake.write(one, document(one, DAY, s1=noise(1)), None)
            its.baselines.put(one.sensors[0].id, quiet_baseline())
            its.statements_table.put(one.id, statements(one.id), None)
        version = quiet_baseline().version
        for _ in range(2):
            app.proof_tests.space.store.clear()
            assert apart.lake.days(copy) == []
            assert apart.baselines.count(copy.sensors[0].id) == 0
            assert apart.statements_table.get(copy.id) is None
    assert app.lake.days(real) == [DAY]
    assert app.baselines.get(real.sensors[0].id, version).version == version
    assert app.statements_table.get(real.id) is not None


def test_tests_are_kept_by_template_and_written_on_what_was_read(azurite: Azurite, unique: str) -> None:
    """Two runs that read the same do not both write."""
    app = bootstrap(environment(azurite.connection_string, unique))
    app.clients.ensure_storage()
    table = app.proof_tests_table
    tests = ProofTests(template=TEMPLATE.id, now=ProofTest(template=TEMPLATE.id, asked=ASKED))
    assert table.get(TEMPLATE.id) is None
    etag = table.put(tests, None)
    (stored,) = table.all()
    assert stored == (tests, etag)
    table.put(tests.closed(), etag)
    with pytest.raises(Conflict):
        table.put(tests, etag)
    assert table.subjects("troll-") == [TEMPLATE.id]
    table.remove_all(TEMPLATE.id)
    assert table.count(TEMPLATE.id) == 0
