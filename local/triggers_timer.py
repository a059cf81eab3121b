"""Timer triggers: NCRONTAB in UTC, never two runs of one timer at once, a missed run made up for once."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import azure.functions as func
from azure.core.exceptions import AzureError

from local import cron
from local.metadata import Function, HostError
from local.runtime import Runtime
from local.storage import Records

log = logging.getLogger("local.timer")
LATE = timedelta(seconds=1)


class TimerTrigger:
    """One timer, waiting in a thread of its own.

    The next occurrence is kept in storage, as the platform does, so that a run missed while the host was down, or while
    the run before took too long, comes at once with `past_due` set.
    """

    def __init__(self, function: Function, runtime: Runtime) -> None:
        self._function = function
        self._worker = runtime.worker
        self._stop = runtime.stop
        self._records = Records(f"{runtime.records}/timers") if function.trigger.get("useMonitor", True) else None
        self._one_run = threading.Lock()
        try:
            self._schedule = cron.parse(function.trigger["schedule"])
            self._schedule.after(datetime.now(UTC))
        except ValueError as error:
            raise HostError(f"function {function.name}: {error}") from error
        self._due = self._first()

    def start(self) -> None:
        """Begins to wait for occurrences."""
        threading.Thread(target=self._wait, name=self._function.name, daemon=True).start()

    def queued(self) -> int:
        """One while an occurrence is due, else none."""
        return int(self._due <= datetime.now(UTC))

    def run_now(self, _: str) -> None:
        """Runs once, out of turn."""
        self._run(past_due=False)

    def _wait(self) -> None:
        while not self._stop.is_set():
            now = datetime.now(UTC)
            if self._due > now:
                self._stop.wait(min((self._due - now).total_seconds(), 60))  # a sleeping computer must not oversleep
                continue
            with self._worker.activity.one():
                self._run(past_due=now - self._due > LATE)
                self._due = self._schedule.after(now)
                self._keep(self._due)

    def _first(self) -> datetime:
        """Now if a run was missed or the binding asks for one on startup, else the next occurrence."""
        now = datetime.now(UTC)
        record = self._records.get(self._function.name) if self._records else None
        if record and (missed := datetime.fromisoformat(record["next"])) < now:
            return missed
        if self._function.trigger.get("runOnStartup"):
            return now
        due = self._schedule.after(now)
        self._keep(due)
        return due

    def _run(self, past_due: bool) -> None:
        with self._one_run:
            request = func.timer.TimerRequest(past_due=past_due)
            self._worker.submit(
                self._function, request
            ).exception()  # logged and counted; the next occurrence comes anyway

    def _keep(self, due: datetime) -> None:
        if self._records:
            try:
                self._records.put(self._function.name, {"next": due.isoformat()})
            except AzureError as error:
                log.warning("%s: its next occurrence could not be kept: %s", self._function.name, error)
