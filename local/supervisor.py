"""Runs each instance of the app's function groups in a process of its own, and starts again what dies."""

import argparse
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from multiprocessing import connection
from typing import Any

from local.groups import Instance, load_app
from local.instance import SIGNALS, run_instance
from local.metadata import HostError

log = logging.getLogger("local.supervisor")
PAUSE_S = 1.0  # before what ended as soon as it was started is started again


class Supervisor:
    """The processes of one host.

    The app is loaded here and then forked, so that seven processes are there about as soon as one. This process has one
    thread and opens no connection: it can fork again at any time. Where forking is not safe, as on macOS, each process
    loads the app itself. The sockets are opened here: an instance that is started again has its address.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        """Load the app; HostError says what is wrong with it, OSError that the port is taken."""
        self._options = options
        self._context: Any = multiprocessing.get_context(options.start_method)  # typed without its Process
        self._app = load_app(options.root, options.app, options.settings)
        first, *others = self._app.instances()
        self._listeners = {first: socket.create_server(("127.0.0.1", options.port))}
        self._listeners |= {one: socket.create_server(("127.0.0.1", 0)) for one in others}
        self._addresses = {one: f"http://127.0.0.1:{own.getsockname()[1]}" for one, own in self._listeners.items()}
        self.url = self._addresses[first]
        self._processes: dict[Instance, Any] = {}
        self._ready: dict[Instance, connection.Connection] = {}
        self._begun: dict[Instance, float] = {}
        self._stopping = False

    def start(self) -> None:
        """Starts all instances and waits until they serve; HostError says why one cannot, and none is left."""
        for number in SIGNALS:
            signal.signal(number, lambda *_: self._stop())
        for instance in self._listeners:
            self._start(instance)
        for instance, ready in self._ready.items():
            try:
                reason = ready.recv()
            except EOFError:
                reason = f"{instance} ended"
            if reason and not self._stopping:
                for process in self._processes.values():
                    process.kill()
                raise HostError(reason)
        kinds = ", ".join(f"{function.name} ({function.kind})" for function in self._app.functions)
        log.info("serves %s in %d processes", kinds, len(self._processes))

    def run(self) -> None:
        """Starts again what ends, until a signal, or the end of stdin if that is the parent's, has ended all."""
        stdin = [sys.stdin.fileno()] if self._options.with_parent else []
        while self._processes:
            instances = {process.sentinel: instance for instance, process in self._processes.items()}
            for ended in connection.wait([*instances, *stdin]):
                if ended in instances:
                    self._ended(instances[ended])
                elif not os.read(stdin[0], 1):
                    stdin = []
                    self._stop()

    def _start(self, instance: Instance) -> None:
        self._ready[instance], told = multiprocessing.Pipe(duplex=False)
        arguments = (self._options, instance, self._listeners[instance], self._addresses, told)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # the new process lets them in when it can act on them
        self._processes[instance] = self._context.Process(target=run_instance, name=str(instance), args=arguments)
        self._processes[instance].start()
        self._begun[instance] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        told.close()
        if self._stopping:  # the others were told before this one was there
            self._processes[instance].terminate()

    def _ended(self, instance: Instance) -> None:
        process = self._processes.pop(instance)
        process.join()
        if not self._stopping:
            log.error("%s ended with %s and is started again", instance, process.exitcode)
            if time.monotonic() - self._begun[instance] < PAUSE_S:
                time.sleep(PAUSE_S)
            self._start(instance)

    def _stop(self) -> None:
        self._stopping = True
        for process in self._processes.values():
            process.terminate()
