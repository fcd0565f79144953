# SPDX-License-Identifier: MIT
"""Cases that each live in a process of their own, and take their steps side by side or one after the other."""

import contextlib
import multiprocessing
import time

import torch

PROCESSES = multiprocessing.get_context("spawn")  # CUDA does not survive a fork


def serve(connection, make, arguments):
    with torch.no_grad():  # freezing asks for it
        case = make(*arguments)
        while True:
            step = connection.recv()
            try:
                connection.send((True, getattr(case, step)()))
            except Exception as error:  # said by the one who asked
                connection.send((False, f"{step}: {type(error).__name__}: {str(error)[:300]}"))


class Worker:
    """`make(*arguments)` in a new process."""

    def __init__(self, make, *arguments):
        self.connection, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=serve, args=(theirs, make, arguments))
        self.process.start()
        theirs.close()

    def ask(self, step):
        with contextlib.suppress(ConnectionError):  # of one that has died: answer() says so
            self.connection.send(step)

    def answer(self, until=None):
        """(whether it went well, what came of it); who is not ready at that time.monotonic() is given up."""
        try:
            if self.connection.poll(None if until is None else max(0, until - time.monotonic())):
                return self.connection.recv()
            return False, "not ready in time"
        except (EOFError, OSError):
            self.process.join()
            return False, f"its process ended with {self.process.exitcode}"

    def end(self):
        self.process.kill()
        self.process.join()


class Group:
    """A worker of `make(*arguments)` for each name; who fails in a step takes no further one."""

    def __init__(self, make, arguments, report):
        self.make, self.arguments, self.report = make, arguments, report
        self.workers = {}

    def __enter__(self):
        for name, arguments in self.arguments.items():
            self.workers[name] = Worker(self.make, *arguments)
        return self

    def __exit__(self, *_):
        for worker in self.workers.values():
            worker.end()

    def step(self, step, parallel=False, seconds=None):
        """{name: what came of it}, of workers one after the other or side by side."""
        begin, results = time.monotonic(), {}
        until = None if seconds is None else begin + seconds
        if parallel:
            for worker in self.workers.values():
                worker.ask(step)
        for name, worker in list(self.workers.items()):
            if not parallel:
                worker.ask(step)
            well, result = worker.answer(until)
            if well:
                results[name] = result
            else:
                self.report(f"{name}: {result}")
                self.workers.pop(name).end()
        self.report(f"{step}: {len(results)} in {time.monotonic() - begin:.0f} s")
        return results
