"""So many threads that run a workload for a while."""

from __future__ import annotations

import resource
import threading
import time
from dataclasses import dataclass, field

from bench.workload import Workload

WARM_UP_NS = 50_000_000


@dataclass(frozen=True)
class Phase:
    """What a phase has measured."""

    threads: int
    wall_ns: int
    cpu_us: int
    latencies_ns: list[int]
    first_ran: int
    """Operations of the first thread, which began with the first key."""

    def figures(self) -> dict[str, object]:
        """What the worker prints of it."""
        return {
            "threads": self.threads,
            "wall_ns": self.wall_ns,
            "cpu_us": self.cpu_us,
            "latencies_ns": self.latencies_ns,
        }


@dataclass
class _Thread:
    load: Workload
    gate: threading.Barrier
    """Where all threads and the one that measures meet: when the warm-up is over, when that one
    has looked, when the last operation is done, when that one has looked again."""
    first: int
    seconds: float
    count: int
    latencies: list[int] = field(default_factory=list)
    began: int = 0
    ended: int = 0
    failure: BaseException | None = None

    def run(self) -> None:
        try:
            if not self.count:
                self.warm_up()
            self.gate.wait()
            self.gate.wait()
            self.measure()
            self.gate.wait()
            self.gate.wait()
        except threading.BrokenBarrierError:
            pass  # another thread failed
        except BaseException as failure:
            self.failure = failure
            self.gate.abort()

    def warm_up(self) -> None:
        end = time.perf_counter_ns() + WARM_UP_NS
        index = self.first
        while time.perf_counter_ns() < end:
            self.load.check(index, self.load.run(index))
            index += 1

    def measure(self) -> None:
        run, clock, keep = self.load.run, time.perf_counter_ns, self.latencies.append
        check = self.load.check if self.count else self.load.check_at_a_glance
        index = self.first
        last = self.first + self.count - 1
        self.began = clock()
        end = self.began + (0 if self.count else int(self.seconds * 1e9))
        while True:
            before = clock()
            reply = run(index)
            after = clock()
            keep(after - before)
            check(index, reply)
            if after >= end and index >= last:
                break
            index += 1
        self.ended = after


def run_phase(load: Workload, count: int, seconds: float, operations: int = 0) -> Phase:
    """Run a workload in so many threads, for so many seconds or operations of all together."""
    gate = threading.Barrier(count + 1)
    each = -(-operations // count)
    workers = [_Thread(load, gate, number * 131, seconds, each) for number in range(count)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    cpu = 0
    try:
        gate.wait()
        cpu = cpu_us()
        gate.wait()
        gate.wait()
        cpu = cpu_us() - cpu
        gate.wait()
    except threading.BrokenBarrierError:
        pass  # a thread says why
    for thread in threads:
        thread.join()
    for worker in workers:
        if worker.failure:
            raise worker.failure
    return Phase(
        threads=count,
        wall_ns=max(worker.ended for worker in workers) - min(worker.began for worker in workers),
        cpu_us=cpu,
        latencies_ns=[latency for worker in workers for latency in worker.latencies],
        first_ran=len(workers[0].latencies),
    )


def cpu_us() -> int:
    """Microseconds that all threads have spent on a processor."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int((usage.ru_utime + usage.ru_stime) * 1e6)
