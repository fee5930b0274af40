"""`kill -9` at the worst moments of a night and of a morning: each side holds each file once (contracts: tamara 3.6, 3.12)."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from sandbox.airplus.stand_in import USER
from store import Store
from tests.activities.tamara.night import AGENCY, BOOKING, DAY, DropBoxSite
from tests.activities.tamara.test_answers import NEXT, Morning

PROJECT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys
from activities.tamara.activities import TamaraActivities
from activities.tamara.answering import TamaraAnswerActivities
from activities.tamara.sftp import SftpFolder
from domain.steps import TamaraStep
from domain.tamara_steps import TamaraAnswersOrder
from store import Store
from tests.activities.tamara.night import AGENCY, DAY, NIGHT, settings_of
from tests.databases import MASTER_KEY

url, port, fingerprint, point = sys.argv[1:]
store = Store.open(url, master_key=MASTER_KEY)
accounts = {AGENCY: settings_of(int(port), fingerprint)}

def here(*_):
    print("here", flush=True)
    sys.stdin.read()

if point == "seal":
    store.tamara.rendered = here
    TamaraActivities(store, accounts, clock=lambda: NIGHT).seal_file(TamaraStep(agency=AGENCY, kind="MA", day=DAY))
else:
    SftpFolder.move = here
    TamaraAnswerActivities(store, accounts, clock=lambda: NIGHT).read_answers(TamaraAnswersOrder(agency=AGENCY))
"""


def killed_at(point: str, store: Store, airplus: DropBoxSite) -> None:
    """Another process gets as far as `point` and is killed there."""
    transport = airplus.settings.sftp
    assert transport is not None
    assert transport.username == USER
    url = store.database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", SCRIPT, url, str(transport.port), transport.host_keys[0], point]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL


def test_killed_while_a_file_is_rendered(store: Store, airplus: DropBoxSite) -> None:
    morning = Morning(store, airplus)
    morning.sold()
    killed_at("seal", store, airplus)
    assert morning.states() == {"sale": "SEALED"}
    sealed = morning.seal()
    assert (sealed.seq, sealed.lines, morning.seal(NEXT).seq) == (1, 1, 2)
    morning.deliver(sealed)
    assert [file["seq"] for file in airplus.stand_in.state()["files"]] == [1]


def test_killed_between_an_answer_and_its_putting_away(store: Store, airplus: DropBoxSite) -> None:
    morning = Morning(store, airplus)
    morning.sold()
    airplus.stand_in.reject({"F-1001": "A001"})
    morning.sent(DAY)
    killed_at("answers", store, airplus)
    [path] = morning.out.iterdir()
    assert morning.states() == {"sale": "REJECTED"}
    assert morning.read().read == 0, "it was applied before the kill"
    assert not path.exists()
    assert [each.verdict for each in store.tamara_answers.list(AGENCY)] == ["APPLIED"]
    mended = morning.staging().resubmit(morning.line())
    assert [line.version for line in store.tamara.lines_of(AGENCY, BOOKING)] == [0, mended.version]
    airplus.stand_in._receiver.wishes.clear()
    morning.sent(NEXT)
    morning.read()
    [held] = airplus.stand_in.state()["transactions"]
    assert (held["txn_ver"], held["status"]) == (1, "A")
    assert [file["seq"] for file in airplus.stand_in.state()["files"]] == [1, 2]
